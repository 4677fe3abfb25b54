/**
 * What Node supplies: codecs from the installed packages and the downscalers of a models directory.
 *
 * The downscalers run in onnxruntime-web here too, so that a thumbnail made on a laptop has the very bytes of one made at the
 * edge; `onnxruntime-node` would be faster and may differ in the last bit before rounding.
 */
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import * as ort from "onnxruntime-web/wasm";
import { createDownscaler, type Downscaler } from "../downscaler/downscaler.ts";
import { loadModel } from "../downscaler/session.ts";
import { wholePhoto } from "../downscaler/whole.ts";
import type { CodecName, LoadCodec } from "../imaging/image.ts";
import type { Runtime } from "../pipeline.ts";
import { readCard } from "./read-card.ts";

const FILES: Record<CodecName, string> = {
  resample: "../imaging/resample.wasm",
  "jpeg-turbo": "../imaging/codecs/jpeg-turbo.wasm",
  "jpeg-encode": "../imaging/codecs/jpeg-encode.wasm",
  "webp-decode": "../imaging/codecs/webp-decode.wasm",
  "webp-encode": "../imaging/codecs/webp-encode.wasm",
  "avif-decode": "../imaging/codecs/avif-decode.wasm",
  "avif-encode": "../imaging/codecs/avif-encode.wasm",
};

const { resolve } = createRequire(import.meta.url);
const compiled = new Map<CodecName, Promise<WebAssembly.Module>>();

export const loadCodec: LoadCodec = (name) => {
  const module = compiled.get(name) ?? readFile(resolve(FILES[name])).then((bytes) => WebAssembly.compile(bytes));
  compiled.set(name, module);
  return module;
};

/** Reads the downscalers of a models directory. @throws Error if there is none or a card is not valid. */
export async function nodeRuntime(models: URL = new URL("../../models/", import.meta.url)): Promise<Runtime> {
  const names = (await readdir(models)).filter((name) => name.startsWith("downscaler-")).sort();
  const downscalers = await Promise.all(names.map((name) => readDownscaler(new URL(`${name}/`, models))));
  if (downscalers.length === 0) throw new Error(`There is no downscaler in ${models.pathname}.`);
  return { downscalers, loadCodec };
}

/** What reads a whole photo, for the teachers of a models directory. @throws Error if a card is not valid. */
export async function wholePhotos(models: URL = new URL("../../models/", import.meta.url)): Promise<Downscaler[]> {
  const names = (await readdir(models)).filter((name) => name.startsWith("teacher-"));
  return Promise.all(names.map(async (name) => wholePhoto(await readCard(new URL(`${name}/`, models)))));
}

async function readDownscaler(directory: URL): Promise<Downscaler> {
  const card = await readCard(directory);
  return createDownscaler(card, async () => {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary ??= (await readFile(resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"))).buffer;
    const bytes = await readFile(new URL("1/model.onnx", directory));
    return loadModel(ort, card, bytes, { executionProviders: ["wasm"] });
  });
}
