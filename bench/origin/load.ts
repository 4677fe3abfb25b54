/**
 * The load of the origin benchmarks, in a process of its own: so many connections, each with one request under way, over bare
 * sockets so that it takes as little as it can of the processor that the server needs.
 *
 *     node bench/origin/load.ts '{"port": 8000, "model": "student-56", "side": 56, ...}'
 *
 * Prints one `LoadResult` as JSON.
 */
import { connect } from "node:net";
import { encodeInferRequest } from "../../src/oip/infer.ts";

export interface LoadOptions {
  readonly port: number;
  readonly model: string;
  /** Of the square images, in pixels. */
  readonly side: number;
  readonly input: string;
  /** Images in each request. */
  readonly batch: number;
  readonly connections: number;
  readonly seconds: number;
  readonly binary: boolean;
}

export interface LoadResult {
  readonly imagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  /** Answers other than 200. */
  readonly errors: number;
}

/** Requests that differ from each other, used in turn. */
const DISTINCT = 64;

const options: LoadOptions = JSON.parse(process.argv[2] ?? "{}");
const requests = Array.from({ length: DISTINCT }, (_, seed) => httpRequest(options, seed));
const latencies: number[] = [];
let errors = 0;
let next = 0;
const start = performance.now();
const end = start + options.seconds * 1000;
await Promise.all(Array.from({ length: options.connections }, connection));
const seconds = (performance.now() - start) / 1000;
latencies.sort((a, b) => a - b);
const result: LoadResult = {
  imagesPerSecond: (latencies.length * options.batch) / seconds,
  p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN,
  p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
  requests: latencies.length,
  errors,
};
console.log(JSON.stringify(result));

function httpRequest({ port, model, side, input, batch, binary }: LoadOptions, seed: number): Buffer {
  const bytes = Uint8Array.from(
    { length: batch * side * side * 3 },
    (_, i) => ((i * 2654435761 + seed * 40503) >>> 13) & 255,
  );
  const tensor = { name: input, datatype: "UINT8" as const, shape: [batch, side, side, 3], bytes };
  const { headers, body } = encodeInferRequest([tensor], binary);
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers, "Content-Length": String(body.length) });
  const head = `POST /v2/models/${model}/infer HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** One connection until the time is over. */
function connection(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true });
    let sent = 0;
    let received = Buffer.alloc(0);
    const send = () => {
      sent = performance.now();
      socket.write(requests[next++ % DISTINCT] ?? "");
    };
    socket
      .on("connect", send)
      .on("error", reject)
      .on("close", () => resolve());
    socket.on("data", (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = responseLength(received);
      if (length === undefined || received.length < length) return;
      latencies.push(performance.now() - sent);
      if (received.toString("latin1", 9, 12) !== "200") errors += 1;
      received = Buffer.alloc(0);
      if (performance.now() < end) send();
      else socket.destroy();
    });
  });
}

/** Bytes of the whole response, once its header is there. All servers here send a Content-Length. */
function responseLength(received: Buffer): number | undefined {
  const header = received.indexOf("\r\n\r\n");
  if (header < 0) return undefined;
  const match = /\r\ncontent-length: *(\d+)/i.exec(received.toString("latin1", 0, header));
  if (!match)
    throw new Error(`Expected a Content-Length for the answer, but got ${received.toString("latin1", 0, header)}`);
  return header + 4 + Number(match[1]);
}
