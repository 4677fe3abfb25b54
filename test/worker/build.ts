/** Builds the Worker once per test run, exactly as a deployment does. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";

// Set before vitest starts the processes of the tests, which inherit it: each run has a folder of its own.
process.env.THUMBNET_TEST_RUN ??= String(process.pid);

/** What a run builds. Below node_modules, where the repository's own dependencies are found. */
export const RUN_DIR = `node_modules/.cache/thumbnet-edge/run-${process.env.THUMBNET_TEST_RUN}`;

export const WORKER_DIR = `${RUN_DIR}/worker`;

/** The same Worker over caches that fail on order. */
export const FAULTY_WORKER_DIR = `${RUN_DIR}/faulty-worker`;

/** The Worker without ONNX Runtime. */
export const SIMD_WORKER_DIR = `${RUN_DIR}/simd-worker`;

/** @returns what vitest runs at the end. */
export default function build(): () => void {
  bundle("src/worker.ts", WORKER_DIR);
  bundle("test/worker/faulty/worker.ts", FAULTY_WORKER_DIR);
  bundle("src/simd/worker.ts", SIMD_WORKER_DIR);
  return () => rmSync(RUN_DIR, { recursive: true, force: true });
}

function bundle(entry: string, directory: string): void {
  execFileSync("wrangler", ["deploy", entry, "--dry-run", "--outdir", directory], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
}
