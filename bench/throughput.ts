/**
 * Misses per second: a 2 MP JPEG from an HTTP source, each with an address of its own, to a thumbnail of 56 pixels. The Worker in
 * workerd, with ONNX Runtime and with the SIMD kernel, against ipx with native sharp, one process each, by turns in one run at 1, 8 and 32 connections.
 *
 *     npm run bench -- throughput [rounds] [seconds]
 *
 * ipx makes what the Worker makes by default: a PNG of 56 x 56 pixels, the photo squashed. It resizes only; the Worker runs its
 * downscaler as well, keeps the thumbnail in R2 and at the edge, and fetches the photo once where ipx also asks for its head.
 * sharp decodes with as many threads as there are processors, as ipx leaves it.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { promisify } from "node:util";
import { bundleDeployment, startBundle } from "./edge/bundle.ts";
import { ORIGINAL } from "./edge/contents.ts";
import { table, writeResults } from "./report.ts";
import { median } from "./statistics.ts";
import type { LoadOptions, LoadResult } from "./throughput/load.ts";

const [, , rounds = "4", seconds = "4"] = process.argv;
const CONNECTIONS = [1, 8, 32];

const photo = await ORIGINAL.make();
const source = createServer((_, response) => {
  response.writeHead(200, { "content-type": "image/jpeg", "content-length": photo.length, etag: '"photo"' }).end(photo);
}).listen(0, "127.0.0.1");
await once(source, "listening");
const address = source.address();
const origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;

const [worker, simd] = [
  await startBundle(await bundleDeployment("src/worker.ts"), { SOURCE_HOSTS: origin }),
  await startBundle(await bundleDeployment("src/simd/worker.ts"), { SOURCE_HOSTS: origin }),
];
const ipx = spawn(process.execPath, ["bench/throughput/ipx.ts", new URL(origin).host], {
  stdio: ["ignore", "pipe", "inherit"],
});
let first = 0;
const rows: object[] = [];
try {
  const [line] = (await once(ipx.stdout, "data")) as [Buffer];
  const ours = { before: `/thumbnail/size=56,format=png/${origin}/`, after: ".jpg" };
  const rivals: Record<string, Pick<LoadOptions, "port" | "before" | "after">> = {
    "ThumbNet Edge": { port: worker.port, ...ours },
    "ThumbNet Edge, SIMD": { port: simd.port, ...ours },
    ipx: { port: Number(line.toString()), before: `/f_png,fit_fill,s_56x56/${origin}/`, after: ".jpg" },
  };
  for (const connections of CONNECTIONS) rows.push(...(await compare(rivals, connections)));
} finally {
  ipx.kill();
  await Promise.all([worker.stop(), simd.stop()]);
  source.closeAllConnections();
  source.close();
}
await writeResults(
  "throughput",
  `${rounds} ${seconds}`,
  { photo: { megapixels: ORIGINAL.megapixels, bytes: photo.length }, rows },
  { ipx: await versionOf("ipx"), "sharp of ipx": await versionOf("ipx/node_modules/sharp") },
);

async function compare(rivals: Record<string, Pick<LoadOptions, "port" | "before" | "after">>, connections: number) {
  const results = new Map<string, LoadResult[]>(Object.keys(rivals).map((name) => [name, []]));
  for (let round = -1; round < Number(rounds); round++) {
    for (const [name, rival] of Object.entries(rivals)) {
      const result = await load({ ...rival, first, connections, seconds: round < 0 ? 1 : Number(seconds) });
      first += result.requests + connections;
      if (round >= 0) results.get(name)?.push(result);
    }
  }
  const of = (name: string, pick: (result: LoadResult) => number) => (results.get(name) ?? []).map(pick);
  const rates = (name: string) => of(name, ({ perSecond }) => perSecond);
  const theirs = rates("ipx");
  const found = Object.keys(rivals).map((server) => ({
    server,
    connections,
    perSecond: median(of(server, ({ perSecond }) => perSecond)),
    p50Ms: median(of(server, ({ p50Ms }) => p50Ms)),
    p99Ms: median(of(server, ({ p99Ms }) => p99Ms)),
    byIpx: median(rates(server).map((rate, i) => rate / (theirs[i] ?? Number.NaN))),
  }));
  console.log(
    table(
      ["server", "connections", "thumbnails/s", "p50 ms", "p99 ms", "by ipx's"],
      found.map((row) => [
        row.server,
        String(row.connections),
        row.perSecond.toFixed(1),
        row.p50Ms.toFixed(1),
        row.p99Ms.toFixed(1),
        row.byIpx.toFixed(2),
      ]),
    ),
  );
  return found;
}

async function load(options: LoadOptions): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(process.execPath, ["bench/throughput/load.ts", JSON.stringify(options)]);
  return JSON.parse(stdout);
}

async function versionOf(name: string): Promise<string> {
  return JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8")).version;
}
