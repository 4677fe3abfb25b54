/**
 * The embedded origin against unmodified Triton 2.51 and MLServer 1.7.1: the same ONNX file, one inference thread each, the same
 * requests, by turns in one run.
 *
 *     npm run bench -- origin [rounds] [seconds]
 *
 * Triton runs the model in its Python backend (PyPI's binary has no other), with the configuration that lies beside it;
 * MLServer takes JSON only. Needs python3; servers are installed as for the interoperability tests.
 */
import { startMlserver } from "../test/interop/mlserver/start.ts";
import installPython from "../test/interop/python.ts";
import { startTriton } from "../test/interop/triton/start.ts";
import { startOrigin } from "../test/origin/start-origin.ts";
import type { LoadOptions } from "./origin/load.ts";
import { inTurns } from "./origin/measure.ts";
import { table, writeResults } from "./report.ts";

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 5);
const MODEL = "student-56";
const CONNECTIONS = [1, 8, 32];

installPython();
const [embedded, triton, mlserver] = await Promise.all([
  startOrigin("--instances", "1", "--threads", "1"),
  startTriton("models", [MODEL]),
  startMlserver("models", [MODEL]),
]);
const rows = [];
try {
  for (const connections of CONNECTIONS) {
    const load = { model: MODEL, side: 56, input: "thumbnail", batch: 1, connections, seconds, binary: true };
    const candidates: Record<"embedded" | "triton" | "embedded-json" | "triton-json" | "mlserver-json", LoadOptions> = {
      embedded: { ...load, port: embedded.port },
      triton: { ...load, port: triton.port },
      "embedded-json": { ...load, port: embedded.port, binary: false },
      "triton-json": { ...load, port: triton.port, binary: false },
      "mlserver-json": { ...load, port: mlserver.port, binary: false },
    };
    const results = await inTurns(candidates, rounds);
    for (const [server, result] of Object.entries(results)) rows.push({ server, connections, ...result });
    const { embedded: ours, triton: theirs } = results;
    console.error(
      `${connections} connections: ${(ours.imagesPerSecond / theirs.imagesPerSecond).toFixed(2)} of Triton's images/s, ` +
        `${(ours.p99Ms / theirs.p99Ms).toFixed(2)} of its p99`,
    );
  }
} finally {
  await Promise.all([embedded.stop(), triton.stop(), mlserver.stop()]);
}

console.log(
  table(
    ["server", "connections", "images/s", "p50 ms", "p99 ms"],
    rows.map((row) => [
      row.server,
      String(row.connections),
      row.imagesPerSecond.toFixed(0),
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
    ]),
  ),
);
await writeResults(
  "origin",
  `${rounds} ${seconds}`,
  { rounds, seconds, rows },
  { tritonserver: "2.51.0", mlserver: "1.7.1" },
);
