/**
 * Peak memory of the isolate for every kind of accepted image, against Cloudflare's limit of 128 MB.
 *
 *     npm run bench -- memory
 *
 * Each image meets a workerd of its own, so nothing is shared or warmed. Local workerd does not enforce the limit, and the
 * inspector counts the JavaScript heap and its buffers but no WebAssembly memory. So the figure is the kernel's: the growth
 * of the process's peak resident set while it starts ONNX Runtime and serves the image, less the machine code that was
 * compiled or paged in meanwhile. It misses nothing that the isolate holds, and also counts some of workerd's own buffers.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { PHOTOS } from "./photos.ts";
import { describeMachine, table } from "./report.ts";
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
  /** Peak growth of the process, without code: an upper bound of what the isolate held. */
  readonly peakMB: number;
}

const rows: Row[] = [];
for (const photo of PHOTOS) {
  const bytes = await photo.make();
  const workerd = await startWorkerd();
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
    ["image", "megapixels", "file MB", "status", "JavaScript heap MB after", "peak MB"],
    rows.map((row) => [
      row.image,
      row.megapixels.toFixed(1),
      row.fileMB.toFixed(1),
      String(row.status),
      row.heapMB.toFixed(0),
      row.peakMB.toFixed(0),
    ]),
  ),
);
const worst = Math.max(...rows.map((row) => row.peakMB));
console.log(`\nWorst peak: ${worst.toFixed(0)} MB of ${LIMIT} MB.`);
await mkdir(new URL("results/", import.meta.url), { recursive: true });
await writeFile(
  new URL("results/memory.json", import.meta.url),
  `${JSON.stringify({ command: "npm run bench -- memory", ...(await describeMachine()), rows }, null, 2)}\n`,
);

async function measure(
  workerd: Workerd,
  image: Uint8Array<ArrayBuffer>,
): Promise<Pick<Row, "status" | "heapMB" | "peakMB">> {
  await fetch(`${workerd.url}/health`);
  const [peakBefore, codeBefore] = [await residentPeak(workerd.pid), await residentCode(workerd.pid)];
  const response = await fetch(`${workerd.url}/thumbnail/_`, { method: "POST", body: image });
  await response.arrayBuffer();
  const heapMB = (await workerd.isolateBytes()) / MB;
  const code = (await residentCode(workerd.pid)) - codeBefore;
  return { status: response.status, heapMB, peakMB: ((await residentPeak(workerd.pid)) - peakBefore - code) / MB };
}

/** The kernel's high-water mark of the resident set, in bytes. */
async function residentPeak(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Resident bytes of executable mappings: the binary's own code and what V8 compiled. */
async function residentCode(pid: number): Promise<number> {
  const mappings = (await readFile(`/proc/${pid}/smaps`, "utf8")).split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const code = mappings.filter((mapping) => /^\S+ ..x/.test(mapping));
  return code.reduce((sum, mapping) => sum + Number(/^Rss:\s+(\d+) kB/m.exec(mapping)?.[1] ?? 0) * 1024, 0);
}
