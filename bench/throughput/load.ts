/**
 * A load of GETs, each with an address of its own, in a process apart from the servers.
 *
 *     node bench/throughput/load.ts '{"port": 8787, "before": "/thumbnail/_/http://...?", "after": ".jpg", ...}'
 *
 * Prints one `LoadResult` as JSON.
 */
import { Connection } from "../edge/connection.ts";

export interface LoadOptions {
  readonly port: number;
  /** An address is this, the number of the request and `after`. */
  readonly before: string;
  readonly after: string;
  /** Number of the first request. */
  readonly first: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const { port, before, after, first, connections, seconds }: LoadOptions = JSON.parse(process.argv[2] ?? "{}");
const latencies: number[] = [];
let next = first;
const start = performance.now();
await Promise.all(Array.from({ length: connections }, oneAfterTheOther));
const took = (performance.now() - start) / 1000;
latencies.sort((a, b) => a - b);
const percentile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
const result: LoadResult = {
  requests: latencies.length,
  perSecond: latencies.length / took,
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
};
console.log(JSON.stringify(result));

async function oneAfterTheOther(): Promise<void> {
  const connection = await Connection.open(port);
  while (performance.now() - start < seconds * 1000) {
    const sent = performance.now();
    const { status, header } = await connection.request(`${before}${next++}${after}`);
    latencies.push(performance.now() - sent);
    if (status !== 200) throw new Error(`Expected 200, but got ${header}`);
  }
  connection.close();
}
