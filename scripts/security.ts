/** SECURITY.md's figures: what the long runs of the fuzzer and the soak met, and how many addresses the tests try. */
import { table } from "../bench/report.ts";
import { REFUSED_HOSTS, REFUSED_URLS } from "../test/source/refused-hosts.ts";
import { measured } from "./results.ts";

export const refusedHosts = () =>
  `**SSRF.** ${new Set([...REFUSED_HOSTS, ...REFUSED_URLS]).size} hosts and URLs are refused, as a source and as the target of a redirect.`;

export const fuzzTable = () =>
  measured("fuzz", ({ runs }) => {
    const statuses = runs.flatMap((run) => Object.keys(run.statuses));
    const columns = [...new Set(statuses)].sort();
    const rows = runs.map((run) => [
      `${run.date}, seed ${run.seed}`,
      String(run.images),
      ...columns.map((status) => String(run.statuses[status] ?? 0)),
      String(run.images - answered(run.statuses)),
      String(run.faults.length),
      (run.slowestMs / 1000).toFixed(1),
      plusMinus(run.perThousand.isolate),
    ]);
    const figures = table(
      [
        "run",
        "images",
        ...columns,
        "no answer in 20 s",
        "faults",
        "slowest, s",
        "isolate's growth, MB per 1000 images",
      ],
      rows,
    );
    const images = runs.reduce((sum, run) => sum + run.images, 0);
    const failed = runs.reduce((sum, run) => sum + answered(run.statuses, (status) => status >= 500), 0);
    const silent = runs.reduce((sum, run) => sum + run.images - answered(run.statuses), 0);
    const { length: faults } = runs.flatMap((run) => run.faults);
    return (
      `${figures}\n\n${images} damaged images in all: ${failed} answers of 5xx, ${silent} without an answer, ` +
      `${faults} faults (those, and intact images that gave other bytes afterwards).`
    );
  });

export const soakTable = () =>
  measured("soak", ({ answers, counts, faults, faultRate, growth }) => {
    const outcomes = Object.entries(counts).sort(([a], [b]) => a.localeCompare(b));
    const figures = table(
      ["request and outcome", "answers"],
      outcomes.map(([outcome, count]) => [outcome, String(count)]),
    );
    return (
      `${answers} answers while ${faultRate * 100} % of all operations failed: ${faults.length} wrong, missing or of another ` +
      `status than the fault deserves. The isolate's heap grew by ${plusMinus(growth)} MB per 1000 answers.\n\n${figures}`
    );
  });

function answered(
  statuses: Readonly<Record<string, number>>,
  counts: (status: number) => boolean = () => true,
): number {
  return Object.entries(statuses).reduce((sum, [status, count]) => sum + (counts(Number(status)) ? count : 0), 0);
}

const plusMinus = ({ slope, error }: { slope: number; error: number }) => `${slope.toFixed(2)} ± ${error.toFixed(2)}`;
