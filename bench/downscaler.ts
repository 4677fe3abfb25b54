/**
 * E, the downscaler: onnxruntime-web in workerd as the service runs it, against native onnxruntime with one thread, by turns in
 * one run; several images in one call against one; what ONNX Runtime costs in start-up and bundle; and the same network in
 * the SIMD kernel of `src/simd/worker.ts`, which must give the same thumbnail within one level.
 *
 *     npm run bench -- downscaler [rounds] [runs]
 */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import * as native from "onnxruntime-node";
import type { ModelCard } from "../src/downscaler/card.ts";
import type { RunModel } from "../src/downscaler/downscaler.ts";
import { loadModel } from "../src/downscaler/session.ts";
import { loadSimd } from "../src/downscaler/simd/network.ts";
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

const [withOrt, withSimd, bare] = [
  await bundleDeployment("bench/downscaler/worker.ts"),
  await bundleDeployment("bench/downscaler/simd-worker.ts"),
  await bundlePlain("bench/request/bare.ts"),
];
const startUp = await startUps();
const [worker, simdWorker] = [await startBundle(withOrt), await startBundle(withSimd)];
const [connection, simdConnection] = [await Connection.open(worker.port), await Connection.open(simdWorker.port)];
const rows: Row[] = [];
try {
  for (const size of SIZES) rows.push(...(await compare(size)));
} finally {
  for (const open of [connection, simdConnection]) open.close();
  await Promise.all([worker.stop(), simdWorker.stop()]);
}

console.log(
  table(
    [
      "pixels",
      "images a call",
      "workerd ms an image",
      "native ms an image",
      "workerd / native",
      "of one image a call",
      "SIMD / ORT",
    ],
    rows.map((row) => [
      String(row.size),
      String(row.batch),
      row.workerdMs.toFixed(2),
      row.nativeMs.toFixed(2),
      row.ratio.toFixed(2),
      row.ofSingle.toFixed(2),
      row.simdRatio?.toFixed(2) ?? "",
    ]),
  ),
);
const bundle = await bundleSizes();
console.log(
  `\nONNX Runtime: ${(bundle.wasmBytes / 2 ** 20).toFixed(1)} MiB of ${(bundle.allBytes / 2 ** 20).toFixed(1)} MiB, ` +
    `${(bundle.wasmGzipBytes / 2 ** 20).toFixed(2)} MiB with gzip; ${startUp.loadMs.toFixed(0)} ms longer to load the Worker, ` +
    `${startUp.firstRunMs.toFixed(0)} ms for the first run of a model. The SIMD kernel: ` +
    `${startUp.simdLoadMs.toFixed(0)} ms and ${startUp.simdFirstRunMs.toFixed(0)} ms.`,
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
  /** The SIMD kernel's time by ONNX Runtime's, both in workerd; it takes one image a call. */
  readonly simdRatio?: number;
}

async function compare(size: number): Promise<Row[]> {
  const folder = new URL(`../models/downscaler-${size}/`, import.meta.url);
  const bytes = await readFile(new URL("1/model.onnx", folder));
  const run = await loadModel(native, await readCard(folder), bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  await checkSimd(bytes, await readCard(folder), run);
  const times = new Map<number, { workerd: number; native: number; simd: number }[]>(
    BATCHES.map((batch) => [batch, []]),
  );
  for (let round = -1; round < Number(rounds); round++) {
    for (const batch of BATCHES) {
      const count = Math.ceil(Number(runs) / batch);
      const images = picture(batch);
      const workerd = await timed(() => connection.request(`/${size}/${batch}/${count}`));
      const natively = await timed(async () => {
        for (let i = 0; i < count; i++) await run(images, [batch, 224, 224, 3]);
      });
      const simd = batch === 1 ? await timed(() => simdConnection.request(`/${size}/1/${count}`)) : Number.NaN;
      const [inAll, each] = [count * batch, times.get(batch)];
      if (round >= 0) each?.push({ workerd: workerd / inAll, native: natively / inAll, simd: simd / inAll });
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
      ...(batch === 1 ? { simdRatio: median(each.map((time) => time.simd / time.workerd)) } : {}),
    };
  });
}

/** A fast answer must be the same answer. */
async function checkSimd(bytes: Uint8Array, card: ModelCard, run: RunModel): Promise<void> {
  const conv = await WebAssembly.compile(await readFile("src/downscaler/simd/conv.wasm"));
  const shape = [1, 224, 224, 3];
  const [ours, theirs] = [await loadSimd(conv, card, bytes)(picture(1), shape), await run(picture(1), shape)];
  const worst = theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - (ours[i] ?? 0))), 0);
  if (ours.length !== theirs.length || worst > 1) throw new Error(`The SIMD kernel is ${worst} levels off.`);
}

/** From the process's beginning to an answer without a model, less a bare Worker's; and a model's first run. */
async function startUps() {
  const starts: { loadMs: number; firstRunMs: number; simdLoadMs: number; simdFirstRunMs: number }[] = [];
  for (let i = 0; i < STARTS; i++) {
    const [ort, without, nothing] = [await start(withOrt), await start(withSimd), await start(bare)];
    starts.push({
      loadMs: ort.loadMs - nothing.loadMs,
      firstRunMs: ort.firstRunMs,
      simdLoadMs: without.loadMs - nothing.loadMs,
      simdFirstRunMs: without.firstRunMs,
    });
  }
  const of = (pick: (found: (typeof starts)[number]) => number) => median(starts.map(pick));
  return {
    loadMs: of(({ loadMs }) => loadMs),
    firstRunMs: of(({ firstRunMs }) => firstRunMs),
    simdLoadMs: of(({ simdLoadMs }) => simdLoadMs),
    simdFirstRunMs: of(({ simdFirstRunMs }) => simdFirstRunMs),
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
