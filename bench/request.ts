/**
 * Whole requests in workerd: cold start, miss, R2 hit, edge hit and 304, against a bare Worker that only reads the same bytes
 * from R2, by turns in one run.
 *
 *     npm run bench -- request [rounds] [requests] [starts]
 *
 * Times are a client's, over one kept connection, with a pause after each answer. CPU is that of the whole workerd, its emulated R2 and caches included, so an
 * upper bound of the Worker's own. A cold start is from the process's beginning to the answer to a 2 MP JPEG in a POST, so that
 * no source is waited for, less what the bare Worker takes for the same.
 */
import { setTimeout } from "node:timers/promises";
import { type Bundle, bundleDeployment, bundlePlain, type RunningWorker, startBundle } from "./edge/bundle.ts";
import { Connection } from "./edge/connection.ts";
import { fillBuckets, ORIGINAL } from "./edge/contents.ts";
import { table, writeResults } from "./report.ts";
import { median, timed } from "./statistics.ts";

const [, , rounds = "10", requests = "40", starts = "5"] = process.argv;
const EACH = Number(requests);
/** A miss takes some fifty times as long. */
const MISSES = Math.ceil(EACH / 8);

/** Between requests, so that what a Worker does after its answer is not taken for the next one's time. */
const PAUSE_MS = 20;

interface Figures {
  readonly ms: number;
  readonly cpuMs: number;
}
interface Case {
  readonly name: string;
  readonly worker: RunningWorker;
  readonly count: number;
  /** The same bytes read by the bare Worker. */
  readonly bare?: string;
  ask(connection: Connection, index: number): Promise<void>;
}

const [deployment, withSimd, plain] = [
  await bundleDeployment("src/worker.ts"),
  await bundleDeployment("src/simd/worker.ts"),
  await bundlePlain("bench/request/bare.ts"),
];
const photo = await ORIGINAL.make();
const cold = await coldStarts();
const [edge, bare] = [await startBundle(deployment), await startBundle(plain)];
const rows = [];
try {
  const total = Number(rounds) * EACH;
  const { etag } = await fillBuckets(edge, photo, { hits: 2 * total, misses: Number(rounds) * MISSES });
  const same = await fillBuckets(bare, photo, { hits: total, misses: 0 });
  const thumbnail = (index: number) => `/thumbnail/_/r2:hit-${index}`;
  const get =
    (path: (index: number) => string, tier: string, status = 200, headers = {}) =>
    async (connection: Connection, index: number) => {
      const reply = await connection.request(path(index), headers);
      const from = /cache-status: .*/i.exec(reply.header)?.[0] ?? "bare";
      if (reply.status !== status || !from.includes(tier)) {
        throw new Error(`Expected ${status} from ${tier}, but got ${reply.status} from ${from}.`);
      }
    };
  const known = { "if-none-match": etag };
  const cases: Case[] = [
    {
      name: "bare thumbnail",
      worker: bare,
      count: EACH,
      ask: get((i) => `/thumbnail/${encodeURIComponent(same.keys[i] ?? "")}`, "bare"),
    },
    {
      name: "bare thumbnail, edge tier looked in",
      worker: bare,
      count: EACH,
      bare: "bare thumbnail",
      ask: get((i) => `/tiers/${encodeURIComponent(same.keys[i] ?? "")}`, "bare"),
    },
    { name: "bare original", worker: bare, count: MISSES, ask: get(() => "/original/photo", "bare") },
    { name: "R2 hit", worker: edge, count: EACH, bare: "bare thumbnail", ask: get(thumbnail, "detail=r2") },
    { name: "edge hit", worker: edge, count: EACH, bare: "bare thumbnail", ask: get(thumbnail, "detail=edge") },
    {
      name: "304 of the edge",
      worker: edge,
      count: EACH,
      bare: "bare thumbnail",
      ask: get(thumbnail, "detail=edge", 304, known),
    },
    {
      name: "304 of R2",
      worker: edge,
      count: EACH,
      bare: "bare thumbnail",
      ask: get((i) => thumbnail(total + i), "detail=r2", 304, known),
    },
    {
      name: "miss",
      worker: edge,
      count: MISSES,
      bare: "bare original",
      ask: get((i) => `/thumbnail/_/r2:miss-${i}`, "fwd=miss"),
    },
  ];
  rows.push(...(await inTurns(cases)));
} finally {
  await Promise.all([edge.stop(), bare.stop()]);
}

console.log(
  table(
    ["request", "ms", "CPU ms", "by the bare Worker's", "by a hit's of the same tier"],
    rows.map((row) => [row.name, row.ms.toFixed(2), row.cpuMs.toFixed(2), fixed(row.byBare), fixed(row.byHit)]),
  ),
);
console.log(
  `\nCold start to the first thumbnail: ${cold.ms.toFixed(0)} ms, ${cold.cpuMs.toFixed(0)} ms of CPU; with the SIMD kernel ` +
    `${cold.simd.ms.toFixed(0)} and ${cold.simd.cpuMs.toFixed(0)} ms.`,
);
await writeResults("request", `${rounds} ${requests} ${starts}`, {
  rounds: Number(rounds),
  photo: { megapixels: ORIGINAL.megapixels, bytes: photo.length },
  cold,
  rows,
});

/** Medians over the rounds; ratios are of one round's medians. */
async function inTurns(cases: readonly Case[]) {
  const figures = new Map<string, Figures[]>(cases.map(({ name }) => [name, []]));
  const connections = new Map([
    [edge, await Connection.open(edge.port)],
    [bare, await Connection.open(bare.port)],
  ]);
  for (let round = 0; round < Number(rounds); round++) {
    for (const { name, worker, count, ask } of cases) {
      const connection = connections.get(worker);
      if (!connection) continue;
      const times: number[] = [];
      const before = await worker.cpuSeconds();
      for (let i = 0; i < count; i++) {
        times.push(await timed(() => ask(connection, round * count + i)));
        await setTimeout(PAUSE_MS);
      }
      const cpuMs = ((await worker.cpuSeconds()) - before) * 1000;
      figures.get(name)?.push({ ms: median(times), cpuMs: cpuMs / count });
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  for (const connection of connections.values()) connection.close();
  const of = (name: string, pick: (round: Figures) => number) => (figures.get(name) ?? []).map(pick);
  const ratio = (name: string, other: string | undefined) =>
    other === undefined
      ? undefined
      : median(of(name, ({ ms }) => ms).map((ms, i) => ms / (of(other, (round) => round.ms)[i] ?? Number.NaN)));
  const hits: Record<string, string> = { "304 of the edge": "edge hit", "304 of R2": "R2 hit" };
  return cases.map(({ name, bare: other }) => ({
    name,
    ms: median(of(name, ({ ms }) => ms)),
    cpuMs: median(of(name, ({ cpuMs }) => cpuMs)),
    byBare: ratio(name, other),
    byHit: ratio(name, hits[name]),
  }));
}

async function coldStarts() {
  const [rows, simd]: [Figures[], Figures[]] = [[], []];
  for (let start = 0; start < Number(starts); start++) {
    const [ours, ofSimd, bare] = [await firstAnswer(deployment), await firstAnswer(withSimd), await firstAnswer(plain)];
    rows.push({ ms: ours.ms - bare.ms, cpuMs: ours.cpuMs - bare.cpuMs });
    simd.push({ ms: ofSimd.ms - bare.ms, cpuMs: ofSimd.cpuMs - bare.cpuMs });
  }
  const middle = (figures: Figures[]) => ({
    ms: median(figures.map(({ ms }) => ms)),
    cpuMs: median(figures.map(({ cpuMs }) => cpuMs)),
  });
  return { ...middle(rows), starts: rows, simd: middle(simd) };
}

async function firstAnswer(bundle: Bundle): Promise<Figures> {
  const started = performance.now();
  const worker = await startBundle(bundle);
  const connection = await Connection.open(worker.port);
  const { status } = await connection.request("/thumbnail/_", {}, photo);
  const ms = performance.now() - started;
  const cpuMs = (await worker.cpuSeconds()) * 1000;
  connection.close();
  await worker.stop();
  if (status !== 200) throw new Error(`Expected 200 to the first request, but got ${status}.`);
  return { ms, cpuMs };
}

function fixed(ratio: number | undefined): string {
  return ratio?.toFixed(2) ?? "";
}
