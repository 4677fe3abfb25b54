/** `npm run bench -- <name> [options]` runs `bench/<name>.ts`; without a name it lists them. */
import { readdir } from "node:fs/promises";

const NOT_BENCHMARKS = ["run", "report", "slope", "statistics", "workerd", "photos", "labelled", "payload"];
const names = (await readdir(new URL(".", import.meta.url)))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replace(/\.ts$/, ""))
  .filter((name) => !NOT_BENCHMARKS.includes(name));

const [name = ""] = process.argv.splice(2, 1);
if (!names.includes(name)) {
  console.error(`Expected the name of a benchmark (${names.join(", ")}), but got "${name}".`);
  process.exit(1);
}
await import(new URL(`${name}.ts`, import.meta.url).href);
