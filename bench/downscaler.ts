/**
 * E, the downscaler: onnxruntime-web in workerd as the service runs it, against native onnxruntime with one thread, by turns in
 * one run; several images in one call against one; what ONNX Runtime costs in start-up and bundle; and the same network in plain
 * WebAssembly SIMD, which must give the same thumbnail within one level.
 *
 *     npm run bench -- downscaler [rounds] [runs]
 */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import * as native from "onnxruntime-node";
import type { RunModel } from "../src/downscaler/downscaler.ts";
import { loadModel } from "../src/downscaler/session.ts";
import { readCard } from "../src/runtime/read-card.ts";
import { picture } from "./downscaler/picture.ts";
import { loadPlain } from "./downscaler/plain.ts";
import { type Bundle, bundleDeployment, bundlePlain, startBundle } from "./edge/bundle.ts";
import { Connection } from "./edge/connection.ts";
import { table, writeResults } from "./report.ts";
import { median, timed } from "./statistics.ts";

const [, , rounds = "12", runs = "24"] = process.argv;
const SIZES = [56, 112];
const BATCHES = [1, 2, 4, 8];
const STARTS = 3;

const [withOrt, plain, bare] = [
  await bundleDeployment("bench/downscaler/worker.ts"),
  await bundleDeployment("bench/downscaler/plain-worker.ts"),
  await bundlePlain("bench/request/bare.ts"),
];
const startUp = await startUps();
const [worker, plainWorker] = [await startBundle(withOrt), await startBundle(plain)];
const [connection, plainConnection] = [await Connection.open(worker.port), await Connection.open(plainWorker.port)];
const rows: Row[] = [];
try {
  for (const size of SIZES) rows.push(...(await compare(size)));
} finally {
  for (const open of [connection, plainConnection]) open.close();
  await Promise.all([worker.stop(), plainWorker.stop()]);
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
      "plain / ORT",
    ],
    rows.map((row) => [
      String(row.size),
      String(row.batch),
      row.workerdMs.toFixed(2),
      row.nativeMs.toFixed(2),
      row.ratio.toFixed(2),
      row.ofSingle.toFixed(2),
      row.plainRatio?.toFixed(2) ?? "",
    ]),
  ),
);
const bundle = await bundleSizes();
console.log(
  `\nONNX Runtime: ${(bundle.wasmBytes / 2 ** 20).toFixed(1)} MiB of ${(bundle.allBytes / 2 ** 20).toFixed(1)} MiB, ` +
    `${(bundle.wasmGzipBytes / 2 ** 20).toFixed(2)} MiB with gzip; ${startUp.loadMs.toFixed(0)} ms longer to load the Worker, ` +
    `${startUp.firstRunMs.toFixed(0)} ms for the first run of a model. Plain WebAssembly: ` +
    `${startUp.plainLoadMs.toFixed(0)} ms and ${startUp.plainFirstRunMs.toFixed(0)} ms.`,
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
  /** Plain WebAssembly's time by ONNX Runtime's, both in workerd; it takes one image a call. */
  readonly plainRatio?: number;
}

async function compare(size: number): Promise<Row[]> {
  const folder = new URL(`../models/downscaler-${size}/`, import.meta.url);
  const bytes = await readFile(new URL("1/model.onnx", folder));
  const run = await loadModel(native, await readCard(folder), bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  await checkPlain(bytes, size, run);
  const times = new Map<number, { workerd: number; native: number; plain: number }[]>(
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
      const plainly = batch === 1 ? await timed(() => plainConnection.request(`/${size}/1/${count}`)) : Number.NaN;
      const [inAll, each] = [count * batch, times.get(batch)];
      if (round >= 0) each?.push({ workerd: workerd / inAll, native: natively / inAll, plain: plainly / inAll });
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
      ...(batch === 1 ? { plainRatio: median(each.map((time) => time.plain / time.workerd)) } : {}),
    };
  });
}

/** A fast answer must be the same answer. */
async function checkPlain(bytes: Uint8Array, size: number, run: RunModel): Promise<void> {
  const conv = await WebAssembly.compile(await readFile("bench/downscaler/conv.wasm"));
  const shape = [1, 224, 224, 3];
  const [ours, theirs] = [await loadPlain(conv, bytes, size)(picture(1), shape), await run(picture(1), shape)];
  const worst = theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - (ours[i] ?? 0))), 0);
  if (ours.length !== theirs.length || worst > 1) throw new Error(`Plain WebAssembly is ${worst} levels off.`);
}

/** From the process's beginning to an answer without a model, less a bare Worker's; and a model's first run. */
async function startUps() {
  const starts: { loadMs: number; firstRunMs: number; plainLoadMs: number; plainFirstRunMs: number }[] = [];
  for (let i = 0; i < STARTS; i++) {
    const [ort, without, nothing] = [await start(withOrt), await start(plain), await start(bare)];
    starts.push({
      loadMs: ort.loadMs - nothing.loadMs,
      firstRunMs: ort.firstRunMs,
      plainLoadMs: without.loadMs - nothing.loadMs,
      plainFirstRunMs: without.firstRunMs,
    });
  }
  const of = (pick: (found: (typeof starts)[number]) => number) => median(starts.map(pick));
  return {
    loadMs: of(({ loadMs }) => loadMs),
    firstRunMs: of(({ firstRunMs }) => firstRunMs),
    plainLoadMs: of(({ plainLoadMs }) => plainLoadMs),
    plainFirstRunMs: of(({ plainFirstRunMs }) => plainFirstRunMs),
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
