/** Starts the embedded origin as a user does: its own process, by its command. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface RunningOrigin {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Everything written to stderr so far. */
  readonly errors: () => string;
  /** Ends it as an orchestrator does, and gives the exit code. */
  stop(): Promise<number | null>;
}

/** The models of the server's own tests: `echo` gives rows back, `slow` takes as long as asked. */
export const TEST_MODELS = "test/origin/models";

/** @throws Error with what it printed, if it does not start. */
export async function startOrigin(...args: string[]): Promise<RunningOrigin> {
  const child = spawn(process.execPath, ["src/origin/main.ts", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/[^/]+/.exec(line)?.[0];
    if (url === undefined) continue;
    const exited = once(child, "exit");
    return {
      url,
      port: Number(new URL(url).port),
      process: child,
      errors: () => errors,
      async stop() {
        child.kill("SIGTERM");
        const [code] = await exited;
        return code;
      },
    };
  }
  throw new Error(`The origin did not start: ${errors}`);
}
