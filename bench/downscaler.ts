/**
 * E, the downscaler: onnxruntime-web in workerd as the service runs it, against native onnxruntime with one thread, by turns in
 * one run; several images in one call against one; and what ONNX Runtime costs in start-up and bundle.
 *
 *     npm run bench -- downscaler [rounds] [runs]
 */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import * as native from "onnxruntime-node";
import { loadModel } from "../src/downscaler/session.ts";
import { readCard } from "../src/runtime/read-card.ts";
import { picture } from "./downscaler/picture.ts";
import { type Bundle, bundleDeployment, bundlePlain, startBundle } from "./edge/bundle.ts";
import { Connection } from "./edge/connection.ts";
import { table, writeResults } from "./report.ts";
import { median, timed } from "./statistics.ts";

const [, , rounds = "12", runs = "24"] = process.argv;
const SIZES = [56, 112];
const BATCHES = [1, 2, 4, 8];
const STARTS = 3;

const [withOrt, plain] = [
  await bundleDeployment("bench/downscaler/worker.ts"),
  await bundlePlain("bench/request/bare.ts"),
];
const startUp = await startUps();
const worker = await startBundle(withOrt);
const connection = await Connection.open(worker.port);
const rows: Row[] = [];
try {
  for (const size of SIZES) rows.push(...(await compare(size)));
} finally {
  connection.close();
  await worker.stop();
}

console.log(
  table(
    ["pixels", "images a call", "workerd ms an image", "native ms an image", "workerd / native", "of one image a call"],
    rows.map((row) => [
      String(row.size),
      String(row.batch),
      row.workerdMs.toFixed(2),
      row.nativeMs.toFixed(2),
      row.ratio.toFixed(2),
      row.ofSingle.toFixed(2),
    ]),
  ),
);
const bundle = await bundleSizes();
console.log(
  `\nONNX Runtime: ${(bundle.wasmBytes / 2 ** 20).toFixed(1)} MiB of ${(bundle.allBytes / 2 ** 20).toFixed(1)} MiB, ` +
    `${(bundle.wasmGzipBytes / 2 ** 20).toFixed(2)} MiB with gzip; ${startUp.loadMs.toFixed(0)} ms longer to load the Worker, ` +
    `${startUp.firstRunMs.toFixed(0)} ms for the first run of a model.`,
);
await writeResults("downscaler", `${rounds} ${runs}`, {
  rounds: Number(rounds),
  runs: Number(runs),
  bundle,
  startUp,
  rows,
});

interface Row {
  readonly size: number;
  readonly batch: number;
  readonly workerdMs: number;
  readonly nativeMs: number;
  /** workerd's time by the native one of the same batch. */
  readonly ratio: number;
  /** workerd's time for an image by that of one image a call. */
  readonly ofSingle: number;
}

async function compare(size: number): Promise<Row[]> {
  const folder = new URL(`../models/downscaler-${size}/`, import.meta.url);
  const bytes = await readFile(new URL("1/model.onnx", folder));
  const run = await loadModel(native, await readCard(folder), bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const times = new Map<number, { workerd: number; native: number }[]>(BATCHES.map((batch) => [batch, []]));
  for (let round = -1; round < Number(rounds); round++) {
    for (const batch of BATCHES) {
      const count = Math.ceil(Number(runs) / batch);
      const images = picture(batch);
      const workerd = await timed(() => connection.request(`/${size}/${batch}/${count}`));
      const natively = await timed(async () => {
        for (let i = 0; i < count; i++) await run(images, [batch, 224, 224, 3]);
      });
      if (round >= 0) times.get(batch)?.push({ workerd: workerd / count / batch, native: natively / count / batch });
    }
    process.stderr.write(`${size} pixels: round ${round + 1} of ${rounds}\n`);
  }
  const single = times.get(1) ?? [];
  return BATCHES.map((batch) => {
    const each = times.get(batch) ?? [];
    return {
      size,
      batch,
      workerdMs: median(each.map(({ workerd }) => workerd)),
      nativeMs: median(each.map((time) => time.native)),
      ratio: median(each.map((time) => time.workerd / time.native)),
      ofSingle: median(each.map(({ workerd }, i) => workerd / (single[i]?.workerd ?? Number.NaN))),
    };
  });
}

/** From the process's beginning to an answer without a model, less a bare Worker's; and a model's first run. */
async function startUps() {
  const starts: { loadMs: number; firstRunMs: number }[] = [];
  for (let i = 0; i < STARTS; i++) {
    const [ours, bare] = [await start(withOrt), await start(plain)];
    starts.push({ loadMs: ours.loadMs - bare.loadMs, firstRunMs: ours.firstRunMs });
  }
  return {
    loadMs: median(starts.map(({ loadMs }) => loadMs)),
    firstRunMs: median(starts.map(({ firstRunMs }) => firstRunMs)),
  };
}

async function start(what: Bundle): Promise<{ loadMs: number; firstRunMs: number }> {
  const began = performance.now();
  const running = await startBundle(what);
  const client = await Connection.open(running.port);
  await client.request("/nothing");
  const loadMs = performance.now() - began;
  const firstRunMs = await timed(() => client.request("/56/1/1"));
  client.close();
  await running.stop();
  return { loadMs, firstRunMs };
}

async function bundleSizes() {
  const files = await Promise.all(withOrt.modules.map(async ({ path }) => ({ path, bytes: await readFile(path) })));
  const wasm = files.find(({ path }) => path.includes("ort-wasm"));
  if (!wasm) throw new Error("The bundle has no ONNX Runtime.");
  return {
    allBytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0),
    wasmBytes: wasm.bytes.length,
    wasmGzipBytes: (await promisify(gzip)(wasm.bytes)).length,
  };
}
