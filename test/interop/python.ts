/** Virtual environments for the servers and clients of others, made once from pinned requirements and kept in node_modules. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ENVIRONMENTS = ["triton", "mlserver", "clients"] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** Whether there is a Python at all; without it every interoperability test is skipped, aloud. */
export const hasPython = succeeds("python3", "--version");

/** Folder of the environment, named after what it holds. */
export function environment(name: Environment): string {
  const hash = createHash("sha256")
    .update(readFileSync(requirements(name)))
    .digest("hex");
  return resolve("node_modules/.cache/thumbnet-edge/python", `${name}-${hash.slice(0, 12)}`);
}

export const executable = (name: Environment, program: string) => join(environment(name), "bin", program);

/** Vitest's global setup: makes what is missing. */
export default function setup(): void {
  if (!hasPython) {
    console.warn(`\n${"!".repeat(80)}\nNO python3: THE INTEROPERABILITY TESTS ARE SKIPPED.\n${"!".repeat(80)}\n`);
    return;
  }
  for (const name of ENVIRONMENTS) install(name);
}

function install(name: Environment): void {
  const folder = environment(name);
  const done = join(folder, "installed");
  if (existsSync(done)) return;
  console.log(`Installing ${requirements(name)} ...`);
  rmSync(folder, { recursive: true, force: true });
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  // The lists are complete, so nothing is resolved: nvidia-pytriton alone would draw in much that is not used here.
  if (succeeds("uv", "--version")) {
    run("uv", "venv", "--quiet", "--python", "python3", folder);
    run(
      "uv",
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "--python",
      join(folder, "bin/python"),
      "-r",
      requirements(name),
    );
  } else {
    run("python3", "-m", "venv", folder);
    run(join(folder, "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements(name));
  }
  writeFileSync(done, "");
}

function requirements(name: Environment): string {
  return `test/interop/${name}/requirements.txt`;
}

function succeeds(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
