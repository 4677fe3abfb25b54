/**
 * Peak memory of the isolate for every kind of accepted image, against Cloudflare's limit of 128 MB.
 *
 *     npm run bench -- memory
 *
 * Each image meets a workerd of its own, so nothing is shared or warmed, and local workerd does not enforce the limit. The last
 * row is the opposite: the largest of several formats one after the other in one isolate, those first that make the shared
 * WebAssembly memory grow, which never shrinks, then those that are decoded in JavaScript beside it. Its heap is the largest
 * of those after each request, so that its sum may be of different moments, and is never too small for that. The
 * figure is what the isolate holds: the peak of its WebAssembly memories, ONNX Runtime's among them (counted by
 * `memory/ledger.ts`; the inspector does not see them), plus the JavaScript heap and its buffers right after the request. The
 * growth of the whole process is given beside it; it includes compiled code, the compiler's own memory and workerd's buffers.
 */
import { readFile } from "node:fs/promises";
import { type BenchPhoto, PHOTOS } from "./photos.ts";
import { table, writeResults } from "./report.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

const MB = 1e6;
const LIMIT = 128;

interface Row {
  readonly image: string;
  readonly megapixels: number;
  readonly fileMB: number;
  readonly status: number;
  /** JavaScript heap and its buffers right after the request, by the inspector. */
  readonly heapMB: number;
  /** WebAssembly memories at their peak. */
  readonly wasmMB: number;
  /** Their sum: what counts against the limit. */
  readonly peakMB: number;
  /** Growth of the process's peak resident set. */
  readonly processMB: number;
}

const IN_TURN = ["AVIF", "WebP lossless", "JPEG progressive 4:4:4", "PNG 8 bit"].map((name) => {
  const photo = PHOTOS.find((one) => one.name === name);
  if (!photo) throw new Error(`There is no photo "${name}".`);
  return photo;
});

const rows: Row[] = [];
for (const photo of PHOTOS) rows.push(await row(photo.name, [photo], "_"));
rows.push(await row("AVIF, WebP, JPEG, PNG in turn (the largest of each), as AVIF", IN_TURN, "size=112,format=avif"));

console.log(
  table(
    ["image", "megapixels", "file MB", "status", "heap MB", "wasm MB", "isolate MB", "process growth MB"],
    rows.map((row) => [
      row.image,
      row.megapixels.toFixed(1),
      row.fileMB.toFixed(1),
      String(row.status),
      row.heapMB.toFixed(0),
      row.wasmMB.toFixed(0),
      row.peakMB.toFixed(0),
      row.processMB.toFixed(0),
    ]),
  ),
);
const worst = Math.max(...rows.map((row) => row.peakMB));
console.log(`\nWorst peak: ${worst.toFixed(0)} MB of ${LIMIT} MB.`);
await writeResults("memory", "", { rows });

/** Of several photos the largest figures. @param options of the thumbnails. */
async function row(image: string, photos: readonly BenchPhoto[], options: string): Promise<Row> {
  const files = await Promise.all(photos.map((photo) => photo.make()));
  const workerd = await startWorkerd({}, "bench/memory/worker.ts");
  try {
    const megapixels = Math.max(...photos.map((photo) => photo.megapixels));
    const fileMB = Math.max(...files.map((file) => file.length)) / MB;
    const figures = await measure(workerd, files, options);
    process.stderr.write(`${image}: ${figures.peakMB.toFixed(0)} MB\n`);
    return { image, megapixels, fileMB, ...figures };
  } finally {
    await workerd.stop();
  }
}

async function measure(
  workerd: Workerd,
  images: readonly Uint8Array<ArrayBuffer>[],
  options: string,
): Promise<Pick<Row, "status" | "heapMB" | "wasmMB" | "peakMB" | "processMB">> {
  await fetch(`${workerd.url}/health`);
  const before = await residentPeak(workerd.pid);
  let status = 0;
  let heapMB = 0;
  for (const image of images) {
    const response = await fetch(`${workerd.url}/thumbnail/${options}`, { method: "POST", body: image });
    await response.arrayBuffer();
    status = Math.max(status, response.status);
    heapMB = Math.max(heapMB, (await workerd.isolateBytes()) / MB);
  }
  const processMB = ((await residentPeak(workerd.pid)) - before) / MB;
  const { peak } = (await (await fetch(`${workerd.url}/wasm-bytes`)).json()) as { peak: number };
  return { status, heapMB, wasmMB: peak / MB, peakMB: heapMB + peak / MB, processMB };
}

/** The kernel's high-water mark of the resident set, in bytes. */
async function residentPeak(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}
