/** What every published figure carries: versions and machine; and plain Markdown tables. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";

/** Versions of everything that a figure depends on, and the machine it was measured on. */
async function describeMachine(): Promise<{ date: string; machine: object; versions: Record<string, string> }> {
  const names = ["wrangler", "workerd", "onnxruntime-web", "onnxruntime-node", "sharp", "hono"];
  const versions = await Promise.all(names.map(async (name) => [name, await versionOf(name)] as const));
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) },
    versions: { node: process.version, ...Object.fromEntries(versions) },
  };
}

/**
 * Writes `results/<name>.json`: the command first, then machine and versions, then what was measured.
 *
 * @param otherVersions of rivals that npm does not know.
 * @param benchmark that writes several such files.
 */
export async function writeResults(
  name: string,
  parameters: string,
  measured: object,
  otherVersions: Readonly<Record<string, string>> = {},
  benchmark = name,
): Promise<void> {
  const command = `npm run bench -- ${benchmark} ${parameters}`.trimEnd();
  const results = new URL("results/", import.meta.url);
  await mkdir(results, { recursive: true });
  const machine = await describeMachine();
  const report = { command, ...machine, versions: { ...machine.versions, ...otherVersions }, ...measured };
  await writeFile(new URL(`${name}.json`, results), `${JSON.stringify(report, null, 2)}\n`);
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

async function versionOf(name: string): Promise<string> {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8")).version;
}
