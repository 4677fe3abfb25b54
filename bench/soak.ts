/**
 * The whole service under faults: 5 % of all operations on R2, the edge tier, the source and the inference origin fail, hang,
 * lie or break off. Every answer is compared with what it should be.
 *
 *     npm run bench -- soak [seconds, 60] [connections, 16]
 *
 * Fails on one wrong byte, one unexpected status or one request without an answer.
 */
import { createHash } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import { makeThumbnail, type ThumbnailSpec } from "../src/pipeline.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { startOrigin } from "../test/origin/start-origin.ts";
import { SEEDS, seeded } from "../test/worker/mutate.ts";
import { table, writeResults } from "./report.ts";
import { slope } from "./slope.ts";
import { startWorkerd } from "./workerd.ts";

const [seconds = 60, connections = 16] = process.argv.slice(2).map(Number);
const FAULT_RATE = 0.05;
/** A source may take 10 s for its headers and 20 s for its body, and a cache 2 s to be given up. */
const HANG_MS = 45_000;
/** What a fault behind the service may look like in front of it. 422 is a source that answered 200 with half a file. */
const HONEST = [502, 503, 504, 422, 415];

const random = seeded(1);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;

const runtime = await nodeRuntime();
const SPECS: readonly ThumbnailSpec[] = [
  { size: 56, format: "png" },
  { size: 112, format: "npy" },
  { size: 56, format: "webp", quality: 75 },
  { size: 56, format: "avif", quality: 80 },
];
const optionsOf = ({ size, format, quality }: ThumbnailSpec) =>
  `size=${size},format=${format}${quality ? `,quality=${quality}` : ""}`;
const expected = await Promise.all(
  SEEDS.map((photo) =>
    Promise.all(SPECS.map(async (spec) => Buffer.from((await makeThumbnail(photo, spec, runtime)).bytes))),
  ),
);

const source = await listen((request, response) => {
  const photo = SEEDS[Number(/^\/(\d+)/.exec(request.url ?? "")?.[1])] ?? new Uint8Array();
  const etag = `"${createHash("md5").update(photo).digest("hex")}"`;
  switch (random() < FAULT_RATE ? pick(["error", "hang", "reset", "half", "garbage", "break"]) : "well") {
    case "error":
      return void response.writeHead(pick([500, 503, 403])).end("no");
    case "hang":
      return;
    case "reset":
      return void request.socket.destroy();
    case "half":
      return void response.end(photo.subarray(0, photo.length >> 1));
    case "garbage":
      return void response.end("<html>busy</html>");
    case "break":
      response.writeHead(200, { "content-length": photo.length });
      return void response.write(photo.subarray(0, photo.length >> 1), () => request.socket.destroy());
    default:
      if (request.headers["if-none-match"] === etag) return void response.writeHead(304, { etag }).end();
      return void response.writeHead(200, { etag }).end(photo);
  }
});

const inference = await startOrigin();
let originFaults = false;
const originProxy = await listen(async (request, response) => {
  switch (originFaults && random() < FAULT_RATE ? pick(["busy", "reset", "garbage", "half"]) : "well") {
    case "busy":
      return void response.writeHead(503).end();
    case "reset":
      return void request.socket.destroy();
    case "garbage":
      return void response.end("<html>busy</html>");
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { host: _, connection: __, ...headers } = request.headers;
  const answer = await fetch(`${inference.url}${request.url}`, {
    method: request.method ?? "GET",
    headers: headers as Record<string, string>,
    body: request.method === "POST" ? Buffer.concat(chunks) : null,
  });
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(body);
});

const workerd = await startWorkerd(
  {
    SOURCE_HOSTS: `http://${hostOf(source)}`,
    CACHE_MAX_AGE: "5",
    FAILURE_MAX_AGE: "1",
    ORIGINS: `http://${hostOf(originProxy)}`,
  },
  "test/worker/faulty/worker.ts",
);

const counts: Record<string, number> = {};
const faults: string[] = [];
const memory: { x: number; y: number }[] = [];
let answers = 0;

try {
  const classifications = await Promise.all(
    SEEDS.map(async (photo) => Buffer.from((await ask("/classify/_", { method: "POST", body: photo })).body)),
  );
  originFaults = true;
  const end = Date.now() + seconds * 1000;
  const sampler = setInterval(() => void sample().catch(() => {}), Math.max(1000, (seconds * 1000) / 100));
  await Promise.all(Array.from({ length: connections }, () => requestUntil(end, classifications)));
  clearInterval(sampler);
} finally {
  await workerd.stop();
  await inference.stop();
  for (const server of [source, originProxy]) server.closeAllConnections();
  for (const server of [source, originProxy]) server.close();
}

const growth = slope(memory.slice(Math.floor(memory.length / 5)));
const rows = Object.entries(counts).sort(([a], [b]) => a.localeCompare(b));
console.log(
  table(
    ["request and outcome", "answers"],
    rows.map(([name, count]) => [name, String(count)]),
  ),
);
console.log(
  `\n${answers} answers in ${seconds} s, ${faults.length} of them wrong; slope of the isolate's heap ${growth.slope.toFixed(3)} ± ${growth.error.toFixed(3)} MB per 1000 answers.`,
);
for (const fault of faults.slice(0, 20)) console.error(`FAULT: ${fault}`);
await writeResults("soak", `${seconds} ${connections}`, {
  faultRate: FAULT_RATE,
  answers,
  counts,
  growth,
  memory,
  faults,
});
process.exitCode = faults.length === 0 ? 0 : 1;

async function requestUntil(end: number, classifications: readonly Buffer[]): Promise<void> {
  while (Date.now() < end) {
    const image = Math.floor(random() * SEEDS.length);
    const variant = Math.floor(random() * SPECS.length);
    const photo = SEEDS[image];
    const spec = SPECS[variant];
    if (!photo || !spec) continue;
    // A few versions of each URL, so that there are hits, misses and stale copies.
    const url = `http://${hostOf(source)}/${image}?v=${Math.floor(random() * 20)}`;
    const right = expected[image]?.[variant];
    const kind = pick(["get", "get", "get", "conditional", "post", "classify"] as const);
    switch (kind) {
      case "get":
        await check(kind, `/thumbnail/${optionsOf(spec)}/${url}`, {}, right);
        break;
      case "conditional": {
        const etag = `"${createHash("md5")
          .update(right ?? "")
          .digest("hex")}"`;
        await check(kind, `/thumbnail/${optionsOf(spec)}/${url}`, { headers: { "if-none-match": etag } }, right);
        break;
      }
      case "post":
        await check(kind, `/thumbnail/${optionsOf(spec)}`, { method: "POST", body: photo }, right);
        break;
      case "classify":
        await check(kind, `/classify/_/${url}`, {}, classifications[image]);
    }
  }
}

async function check(kind: string, path: string, init: RequestInit, right: Buffer | undefined): Promise<void> {
  try {
    const { status, body } = await ask(path, init, FAULT_RATE);
    answers += 1;
    const wrong = status === 200 ? !body.equals(right ?? Buffer.alloc(0)) : status !== 304 && !HONEST.includes(status);
    const outcome = `${kind} ${status}${wrong ? " WRONG" : ""}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    if (wrong) faults.push(`${outcome} ${path}: ${status === 200 ? `${body.length} bytes` : body}`);
  } catch (error) {
    faults.push(`${kind} ${path}: ${error}`);
  }
}

async function ask(path: string, init: RequestInit, faultRate = 0): Promise<{ status: number; body: Buffer }> {
  const headers = { ...(init.headers as Record<string, string>), "x-fault-rate": String(faultRate) };
  const signal = AbortSignal.timeout(HANG_MS);
  const response = await fetch(`${workerd.url}${path}`, { ...init, headers, signal });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

/** What the isolate holds, garbage collected: the local R2 and caches, which fill up, live in the same process. */
async function sample(): Promise<void> {
  await workerd.collectGarbage();
  memory.push({ x: answers / 1000, y: (await workerd.isolateBytes()) / 1e6 });
}

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function hostOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address.");
  return `127.0.0.1:${address.port}`;
}
