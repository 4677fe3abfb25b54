/** Builds the Worker once per test run, exactly as a deployment does. */
import { execFileSync } from "node:child_process";

export const WORKER_DIR = "node_modules/.cache/thumbnet-edge/worker";

/** The same Worker over caches that fail on order. */
export const FAULTY_WORKER_DIR = "node_modules/.cache/thumbnet-edge/faulty-worker";

export default function build(): void {
  bundle("src/worker.ts", WORKER_DIR);
  bundle("test/worker/faulty/worker.ts", FAULTY_WORKER_DIR);
}

function bundle(entry: string, directory: string): void {
  execFileSync("wrangler", ["deploy", entry, "--dry-run", "--outdir", directory], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
}
