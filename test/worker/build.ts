/** Builds the Worker once per test run, exactly as a deployment does. */
import { execFileSync } from "node:child_process";

export const WORKER_DIR = "node_modules/.cache/thumbnet-edge/worker";

export default function build(): void {
  execFileSync("wrangler", ["deploy", "--dry-run", "--outdir", WORKER_DIR], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
}
