/**
 * Peak memory of the isolate for every kind of accepted image, against Cloudflare's limit of 128 MB.
 *
 *     npm run bench -- memory
 *
 * Each image meets a workerd of its own, so nothing is shared or warmed. Two figures, since local workerd does not
 * enforce the limit: what V8 accounts to the isolate after the request (JavaScript heap + ArrayBuffers + WebAssembly
 * memories, by the inspector, before any collection), and the growth of the process's peak resident set during the
 * request, which the kernel keeps and which misses nothing (it also counts compiled code and workerd's own buffers).
 */
import { readFile, writeFile } from "node:fs/promises";
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
  readonly isolateMB: number;
  readonly growthMB: number;
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
    ["image", "megapixels", "file MB", "status", "isolate MB after", "process growth MB (peak)"],
    rows.map((row) => [
      row.image,
      row.megapixels.toFixed(1),
      row.fileMB.toFixed(1),
      String(row.status),
      row.isolateMB.toFixed(0),
      row.growthMB.toFixed(0),
    ]),
  ),
);
const worst = Math.max(...rows.map((row) => row.isolateMB));
console.log(`\nWorst isolate: ${worst.toFixed(0)} MB of ${LIMIT} MB.`);
await writeFile(
  new URL("results/memory.json", import.meta.url),
  `${JSON.stringify({ command: "npm run bench -- memory", ...(await describeMachine()), rows }, null, 2)}\n`,
);

async function measure(
  workerd: Workerd,
  image: Uint8Array<ArrayBuffer>,
): Promise<Pick<Row, "status" | "isolateMB" | "growthMB">> {
  await fetch(`${workerd.url}/health`);
  const before = await residentPeak(workerd.pid);
  const response = await fetch(`${workerd.url}/thumbnail/_`, { method: "POST", body: image });
  await response.arrayBuffer();
  const isolateMB = (await workerd.isolateBytes()) / MB;
  return { status: response.status, isolateMB, growthMB: ((await residentPeak(workerd.pid)) - before) / MB };
}

/** The kernel's high-water mark of the resident set, in bytes. */
async function residentPeak(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}
