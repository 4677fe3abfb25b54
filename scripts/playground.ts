/**
 * Builds what `public/` does not have in git: the playground's script, its resampler and the sample photos, and
 * `thumbnet-edge/browser` for web pages. wrangler runs it.
 */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildBrowser, replace } from "./browser.ts";

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

const { outputFiles } = await build({
  entryPoints: [path("src/playground/main.ts")],
  outfile: path("public/playground.js"),
  write: false,
  bundle: true,
  format: "esm",
  target: "es2024",
  minify: true,
  logLevel: "warning",
});
for (const { path: file, contents } of outputFiles) await replace(file, contents);
await replace(path("public/resample.wasm"), await readFile(path("src/imaging/resample.wasm")));
for (const name of (await readdir(path("examples/photos"))).filter((file) => file.endsWith(".jpg"))) {
  await replace(path(`public/samples/${name}`), await readFile(path(`examples/photos/${name}`)));
}
await buildBrowser(path("public/browser"));
