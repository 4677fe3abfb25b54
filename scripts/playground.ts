/**
 * Builds what `public/` does not have in git: the playground's script, its resampler and the sample photos, and
 * `thumbnet-edge/browser` for web pages. wrangler runs it.
 */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildBrowser, buildScript, replace } from "./browser.ts";

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

await buildScript(path("src/playground/main.ts"), path("public/playground.js"));
await replace(path("public/resample.wasm"), await readFile(path("src/imaging/resample.wasm")));
for (const name of (await readdir(path("examples/photos"))).filter((file) => file.endsWith(".jpg"))) {
  await replace(path(`public/samples/${name}`), await readFile(path(`examples/photos/${name}`)));
}
await buildBrowser(path("public/browser"));
