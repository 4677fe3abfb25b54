/**
 * `npm run docs` writes the tables of the documentation that follow from the code, and `docs/openapi.json`; `--check` fails
 * if one is out of date.
 *
 * A table stands between `<!-- name -->` and `<!-- /name -->` in a Markdown file.
 */
import { readFile, writeFile } from "node:fs/promises";
import { openApi } from "../src/api/openapi.ts";
import { TABLES } from "./tables.ts";

const FILES = [
  "README.md",
  "SECURITY.md",
  "docs/browser.md",
  "docs/configuration.md",
  "docs/cost.md",
  "docs/operations.md",
  "docs/origin.md",
  "docs/performance.md",
  "docs/problems.md",
];

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const file of FILES) {
  const text = await readFile(file, "utf8");
  await keep(file, await withTables(text, file));
}
await keep("docs/openapi.json", `${JSON.stringify(openApi(), null, 2)}\n`);
if (check && stale.length) {
  console.error(`Out of date: ${stale.join(", ")}. Run "npm run docs".`);
  process.exit(1);
}

async function keep(file: string, fresh: string): Promise<void> {
  if (fresh === (await readFile(file, "utf8").catch(() => ""))) return;
  stale.push(file);
  if (!check) await writeFile(file, fresh);
}

async function withTables(text: string, file: string): Promise<string> {
  let fresh = text;
  for (const [section, name = ""] of text.matchAll(/<!-- (\w+) -->[\s\S]*?<!-- \/\1 -->/g)) {
    const make = TABLES[name];
    if (!make) throw new Error(`${file} wants the table "${name}", which does not exist.`);
    const made = await make();
    fresh = fresh.replace(section, () => `<!-- ${name} -->\n${made}\n<!-- /${name} -->`);
  }
  return fresh;
}
