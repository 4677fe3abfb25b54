/** Tables of what the origin's benchmarks measured. One that was never run on this checkout has a line in its place. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { table } from "../bench/report.ts";

const about = z.object({
  command: z.string(),
  date: z.string(),
  machine: z.object({ cpu: z.string(), cores: z.number() }),
  versions: z.record(z.string(), z.string()),
});

const load = about.extend({
  rows: z.array(
    z.object({
      server: z.string().optional(),
      model: z.string().optional(),
      batching: z.string().optional(),
      connections: z.int(),
      imagesPerSecond: z.number(),
      p50Ms: z.number(),
      p99Ms: z.number(),
    }),
  ),
});

/** Servers against each other (`bench/origin.ts`). */
export const serverTable = () =>
  measured("origin", load, ({ rows }) =>
    table(
      ["server, form", "connections", "images/s", "p50 ms", "p99 ms"],
      rows.map((row) => [row.server ?? "", ...figures(row)]),
    ),
  );

/** Models against each other (`bench/origin-models.ts`). */
export const originModelTable = () =>
  measured("origin-models", load, ({ rows }) =>
    table(
      ["model", "batching", "connections", "images/s", "p50 ms", "p99 ms"],
      rows.map((row) => [row.model ?? "", row.batching ?? "", ...figures(row)]),
    ),
  );

const wire = about.extend({ rows: z.array(z.object({ form: z.string(), pixels: z.int(), bytes: z.int() })) });

/** Bytes from the edge to the origin (`bench/wire.ts`). */
export const wireTable = () =>
  measured("wire", wire, ({ rows }) => {
    const sides = [...new Set(rows.map(({ pixels }) => pixels))];
    const forms = [...new Set(rows.map(({ form }) => form))];
    const bytes = (form: string, side: number) =>
      rows.find((row) => row.form === form && row.pixels === side)?.bytes.toString() ?? "";
    return table(
      ["bytes for one image", ...sides.map((side) => `${side} pixels`)],
      forms.map((form) => [form, ...sides.map((side) => bytes(form, side))]),
    );
  });

const cascadeRows = z.object({
  rows: z.array(
    z.object({
      cascade: z.string(),
      allowedLoss: z.number().optional(),
      thresholds: z.array(z.number()),
      accuracy: z.number(),
      meanBytes: z.number(),
      meanFlops: z.number(),
      meanOriginFlops: z.number(),
      decided: z.array(z.number()),
    }),
  ),
});

const cascade = about.extend({
  students: cascadeRows,
  lowStride: cascadeRows,
  wide: cascadeRows,
  full: cascadeRows,
  restored: cascadeRows,
});

/** Bytes and multiply-adds against accuracy (`bench/cascade.ts`), of one kind of heads. */
export const cascadeTable = (heads: Exclude<keyof z.infer<typeof cascade>, keyof z.infer<typeof about>>) =>
  measured("cascade", cascade, ({ [heads]: { rows } }) => {
    const largest = rows.find((row) => row.cascade.startsWith("teacher"));
    const share = (value: number, of = Number.NaN) => (value / of).toFixed(2);
    // Where no choice is good enough for several of the losses allowed, all of them got the same one.
    const distinct = new Map(rows.map((row) => [`${row.cascade} ${row.thresholds}`, row]));
    return table(
      [
        "asked",
        "thresholds",
        "top-1 %",
        "bytes sent",
        "of T's",
        "multiply-adds at the origin",
        "of T's",
        "with the edge's",
        "decided by each, %",
      ],
      [...distinct.values()].map((row) => [
        row.cascade,
        row.thresholds.join(", "),
        (row.accuracy * 100).toFixed(2),
        row.meanBytes.toFixed(0),
        share(row.meanBytes, largest?.meanBytes),
        `${(row.meanOriginFlops / 1e6).toFixed(0)} M`,
        share(row.meanOriginFlops, largest?.meanOriginFlops),
        share(row.meanFlops, largest?.meanFlops),
        row.decided.map((part) => (part * 100).toFixed(0)).join(" / "),
      ]),
    );
  });

function figures({ connections, imagesPerSecond, p50Ms, p99Ms }: z.infer<typeof load>["rows"][number]): string[] {
  return [String(connections), imagesPerSecond.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2)];
}

async function measured<Report extends z.infer<typeof about>>(
  name: string,
  schema: z.ZodType<Report>,
  render: (report: Report) => string,
): Promise<string> {
  const file = new URL(`../bench/results/${name}.json`, import.meta.url);
  if (!existsSync(file)) return `Not measured yet: \`npm run bench -- ${name}\`.`;
  const report = schema.parse(JSON.parse(await readFile(file, "utf8")));
  const { command, date, machine, versions } = report;
  const used = ["node", "onnxruntime-node", "tritonserver", "mlserver"]
    .filter((program) => versions[program] !== undefined)
    .map((program) => `${program} ${versions[program]}`);
  return `${render(report)}\n\n(\`${command}\`, ${date}, ${used.join(", ")}, ${machine.cpu}, ${machine.cores} cores.)`;
}
