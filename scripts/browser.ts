/** Builds `thumbnet-edge/browser`: one script, and beside it every codec and model that it may fetch. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const { resolve } = createRequire(import.meta.url);

/** Name beside the script, and where it comes from. */
const FILES: Readonly<Record<string, string>> = {
  "resample.wasm": `${ROOT}src/imaging/resample.wasm`,
  "jpeg-turbo.wasm": `${ROOT}src/imaging/codecs/jpeg-turbo.wasm`,
  "jpeg-encode.wasm": `${ROOT}src/imaging/codecs/jpeg-encode.wasm`,
  "webp-decode.wasm": `${ROOT}src/imaging/codecs/webp-decode.wasm`,
  "avif-encode.wasm": `${ROOT}src/imaging/codecs/avif-encode.wasm`,
  "webp-encode.wasm": `${ROOT}src/imaging/codecs/webp-encode.wasm`,
  "avif-decode.wasm": `${ROOT}src/imaging/codecs/avif-decode.wasm`,
  "onnxruntime.wasm": resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"),
  ...Object.fromEntries(
    [56, 112].flatMap((size) => [
      [`downscaler-${size}.json`, `${ROOT}models/downscaler-${size}/card.json`],
      [`downscaler-${size}.onnx`, `${ROOT}models/downscaler-${size}/1/model.onnx`],
    ]),
  ),
};

/** @param folder gets `index.js` and the files beside it. */
export async function buildBrowser(folder: string): Promise<void> {
  await buildScript(`${ROOT}src/browser/index.ts`, join(folder, "index.js"));
  for (const [name, from] of Object.entries(FILES)) await replace(join(folder, name), await readFile(from));
}

/** One module with everything that `entry` imports, as web pages load it. */
export async function buildScript(entry: string, outfile: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    outfile,
    write: false,
    bundle: true,
    format: "esm",
    target: "es2024",
    minify: true,
    logLevel: "warning",
  });
  for (const { path, contents } of outputFiles) await replace(path, contents);
}

/** Nothing is written where nothing has changed, and never in part: a server may be reading the folder. */
export async function replace(file: string, contents: Uint8Array): Promise<void> {
  const there = await readFile(file).catch(() => undefined);
  if (there && Buffer.compare(there, contents) === 0) return;
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  await writeFile(part, contents);
  await rename(part, file);
}
