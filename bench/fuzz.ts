/**
 * Damaged images through the Worker, for long: every status, the slowest answer, and the slope of memory.
 *
 *     npm run bench -- fuzz [images, 10000] [seed, 1]
 *
 * Fails if one image gives a 5xx, takes longer than HANG_MS, or changes what an intact image gives afterwards. Runs of other
 * seeds stay in the results, so that a long run can be had in parts; a seed's own is replaced.
 */
import { readFile } from "node:fs/promises";
import { mutate, SEEDS, seeded } from "../test/worker/mutate.ts";
import { table, writeResults } from "./report.ts";
import { slope } from "./slope.ts";
import { startWorkerd } from "./workerd.ts";

const [images = 10_000, seed = 1] = process.argv.slice(2).map(Number);
const AT_ONCE = 4;
const HANG_MS = 20_000;
const SAMPLE_EVERY = Math.max(100, Math.floor(images / 100));

const workerd = await startWorkerd({}, "bench/memory/worker.ts");
const random = seeded(seed);
const statuses: Record<string, number> = {};
const faults: string[] = [];
const memory: { images: number; isolateMB: number; processMB: number }[] = [];
let sent = 0;
let slowestMs = 0;

try {
  const before = await Promise.all(SEEDS.map(post));
  await sample();
  while (sent < images) {
    const goal = Math.min(images, sent + SAMPLE_EVERY);
    await Promise.all(Array.from({ length: AT_ONCE }, () => sendUntil(goal)));
    await sample();
  }
  const after = await Promise.all(SEEDS.map(post));
  for (const [index, { body }] of before.entries()) {
    if (!after[index]?.body.equals(body)) faults.push(`intact image ${index} gives other bytes than before`);
  }
} catch (error) {
  faults.push(`stopped after ${sent} images: ${error}`);
} finally {
  await workerd.stop();
}

// The first fifth is warm-up: codecs are compiled and V8 finds its size.
const settled = memory.slice(Math.floor(memory.length / 5));
const slopeOf = (of: "isolateMB" | "processMB") =>
  slope(settled.map((point) => ({ x: point.images / 1000, y: point[of] })));
const perThousand = { isolate: slopeOf("isolateMB"), process: slopeOf("processMB") };
console.log(
  table(
    ["outcome", "images"],
    Object.entries(statuses).map(([name, count]) => [name, String(count)]),
  ),
);
console.log(`\nSlowest answer: ${slowestMs.toFixed(0)} ms. After warm-up, MB per 1000 images:`);
for (const [what, { slope: value, error }] of Object.entries(perThousand)) {
  console.log(`${what} ${value.toFixed(3)} ± ${error.toFixed(3)}`);
}
for (const fault of faults) console.error(`FAULT: ${fault}`);
const run = {
  images,
  seed,
  date: new Date().toISOString().slice(0, 10),
  statuses,
  slowestMs,
  perThousand,
  memory,
  faults,
};
await writeResults("fuzz", `${images} ${seed}`, { runs: [...(await runsOfOtherSeeds()), run] });
process.exitCode = faults.length === 0 ? 0 : 1;

async function sendUntil(goal: number): Promise<void> {
  while (sent < goal) {
    sent += 1;
    const number = sent;
    const image = mutate(random);
    const start = performance.now();
    try {
      const { status } = await post(image);
      slowestMs = Math.max(slowestMs, performance.now() - start);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status >= 500) faults.push(`image ${number}: ${status} for ${Buffer.from(image).toString("base64")}`);
    } catch (error) {
      faults.push(`image ${number}: ${error} for ${Buffer.from(image).toString("base64")}`);
    }
  }
}

async function post(image: Uint8Array<ArrayBuffer>): Promise<{ status: number; body: Buffer }> {
  const signal = AbortSignal.timeout(HANG_MS);
  const response = await fetch(`${workerd.url}/thumbnail/_`, { method: "POST", body: image, signal });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

async function runsOfOtherSeeds(): Promise<{ seed: number }[]> {
  const text = await readFile(new URL("results/fuzz.json", import.meta.url), "utf8").catch(() => `{ "runs": [] }`);
  const { runs } = JSON.parse(text) as { runs: { seed: number }[] };
  return runs.filter((run) => run.seed !== seed);
}

/** What the isolate holds, garbage collected: JavaScript heap, buffers and WebAssembly memories. The process also holds wrangler's own Workers. */
async function sample(): Promise<void> {
  await workerd.collectGarbage();
  const status = await readFile(`/proc/${workerd.pid}/status`, "utf8");
  const wasm = (await (await fetch(`${workerd.url}/wasm-bytes`)).json()) as { now: number };
  const isolateMB = ((await workerd.isolateBytes()) + wasm.now) / 1e6;
  const processMB = (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6;
  memory.push({ images: sent, isolateMB, processMB });
  process.stderr.write(`${sent} images, isolate ${isolateMB.toFixed(0)} MB, ${faults.length} faults\n`);
}
