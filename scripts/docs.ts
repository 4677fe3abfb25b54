/**
 * `npm run docs` writes the tables of the documentation that follow from the code; `--check` fails if one is out of date.
 *
 * A table stands between `<!-- name -->` and `<!-- /name -->` in a Markdown file.
 */
import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { table } from "../bench/report.ts";
import { variables } from "../src/config.ts";
import { PROBLEMS } from "../src/errors.ts";
import { thumbnailOptions } from "../src/request/options.ts";

const property = z.object({
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
});

const TABLES: Record<string, () => string> = {
  options: () =>
    table(
      ["option", "values", "default", "meaning"],
      propertiesOf(thumbnailOptions).map(([name, { enum: values, default: preset, description }]) => [
        `\`${name}\``,
        values?.map((value) => `\`${value}\``).join(", ") ?? "a number",
        preset === undefined ? "" : `\`${preset}\``,
        description ?? "",
      ]),
    ),
  configuration: () =>
    table(
      ["variable", "default", "meaning"],
      propertiesOf(variables).map(([name, { default: preset, description }]) => [
        `\`${name}\``,
        showDefault(preset),
        description ?? "",
      ]),
    ),
  problems: () =>
    table(
      ["type", "status", "title"],
      Object.entries(PROBLEMS).map(([code, { status, title }]) => [`\`/problems/${code}\``, String(status), title]),
    ),
};

const FILES = ["README.md", "docs/configuration.md", "docs/problems.md"];

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const file of FILES) {
  const text = await readFile(file, "utf8");
  const fresh = text.replace(
    /(<!-- (\w+) -->)[\s\S]*?(<!-- \/\2 -->)/g,
    (_, open: string, name: string, close: string) => `${open}\n${TABLES[name]?.() ?? fail(file, name)}\n${close}`,
  );
  if (fresh === text) continue;
  stale.push(file);
  if (!check) await writeFile(file, fresh);
}
if (check && stale.length) {
  console.error(`Out of date: ${stale.join(", ")}. Run "npm run docs".`);
  process.exit(1);
}

function propertiesOf(schema: z.ZodType): [string, z.infer<typeof property>][] {
  const { properties } = z
    .object({ properties: z.record(z.string(), property) })
    .parse(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
  return Object.entries(properties);
}

/** Defaults stand in the schema as parsed; in the environment they are texts. */
function showDefault(value: unknown): string {
  if (value === undefined || value === "") return "none";
  if (Array.isArray(value)) return value.length ? `\`${value.join(" ")}\`` : "none";
  return typeof value === "object" ? "none" : `\`${value}\``;
}

function fail(file: string, name: string): never {
  throw new Error(`${file} wants the table "${name}", which does not exist.`);
}
