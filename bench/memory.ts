/**
 * Peak memory of the isolate for every kind of accepted image, against Cloudflare's limit of 128 MB.
 *
 *     npm run bench -- memory
 *
 * Each image meets a workerd of its own, so nothing is shared or warmed, and local workerd does not enforce the limit. The
 * figure is what the isolate holds: the peak of its WebAssembly memories, ONNX Runtime's among them (counted by
 * `memory/ledger.ts`; the inspector does not see them), plus the JavaScript heap and its buffers right after the request. The
 * growth of the whole process is given beside it; it includes compiled code, the compiler's own memory and workerd's buffers.
 */
import { readFile } from "node:fs/promises";
import { PHOTOS } from "./photos.ts";
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

const rows: Row[] = [];
for (const photo of PHOTOS) {
  const bytes = await photo.make();
  const workerd = await startWorkerd({}, "bench/memory/worker.ts");
  try {
    rows.push({
      image: photo.name,
      megapixels: photo.megapixels,
      fileMB: bytes.length / MB,
      ...(await measure(workerd, bytes)),
    });
  } finally {
    await workerd.stop();
  }
  process.stderr.write(`${rows.length}/${PHOTOS.length} ${photo.name}\n`);
}

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

async function measure(
  workerd: Workerd,
  image: Uint8Array<ArrayBuffer>,
): Promise<Pick<Row, "status" | "heapMB" | "wasmMB" | "peakMB" | "processMB">> {
  await fetch(`${workerd.url}/health`);
  const before = await residentPeak(workerd.pid);
  const response = await fetch(`${workerd.url}/thumbnail/_`, { method: "POST", body: image });
  await response.arrayBuffer();
  const heapMB = (await workerd.isolateBytes()) / MB;
  const processMB = ((await residentPeak(workerd.pid)) - before) / MB;
  const { peak } = (await (await fetch(`${workerd.url}/wasm-bytes`)).json()) as { peak: number };
  return { status: response.status, heapMB, wasmMB: peak / MB, peakMB: heapMB + peak / MB, processMB };
}

/** The kernel's high-water mark of the resident set, in bytes. */
async function residentPeak(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}
