/** Runs the command as a user does. */
import { execFile } from "node:child_process";
import { vi } from "vitest";
import { main } from "../../src/cli/commands.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param main another build's entry. */
export function cli(args: readonly string[], env: NodeJS.ProcessEnv = {}, main = "src/cli/main.ts"): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

/** Runs it in this process, which is much faster: for what ends before any work is done. */
export async function inProcess(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const texts = { stdout: "", stderr: "" };
  const log = vi.spyOn(console, "log").mockImplementation((text) => {
    texts.stdout += `${text}\n`;
  });
  const error = vi.spyOn(console, "error").mockImplementation((text) => {
    texts.stderr += `${text}\n`;
  });
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  try {
    return { code: await main(args), ...texts };
  } finally {
    vi.unstubAllEnvs();
    log.mockRestore();
    error.mockRestore();
  }
}
