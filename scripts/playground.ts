/** Builds what `public/` does not have in git: the playground's script, its resampler and the sample photos. wrangler runs it. */
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

await build({
  entryPoints: [path("src/playground/main.ts")],
  outfile: path("public/playground.js"),
  bundle: true,
  format: "esm",
  target: "es2024",
  minify: true,
  logLevel: "warning",
});
await copyFile(path("src/imaging/resample.wasm"), path("public/resample.wasm"));
await mkdir(path("public/samples"), { recursive: true });
for (const name of (await readdir(path("examples/photos"))).filter((file) => file.endsWith(".jpg"))) {
  await copyFile(path(`examples/photos/${name}`), path(`public/samples/${name}`));
}
