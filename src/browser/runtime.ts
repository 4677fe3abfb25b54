/**
 * What a browser supplies: codecs and models, each fetched when it is first wanted.
 *
 * The files lie beside the built module (`scripts/browser.ts` puts them there). Their addresses are written out, because
 * bundlers follow `new URL("...", import.meta.url)` only where it is a literal.
 */
import * as ort from "onnxruntime-web/wasm";
import type { ModelCard } from "../downscaler/card.ts";
import { createDownscaler } from "../downscaler/downscaler.ts";
import { loadModel } from "../downscaler/session.ts";
import type { CodecName, LoadCodec } from "../imaging/image.ts";
import type { Runtime } from "../pipeline.ts";
import { Kept } from "./kept.ts";

const CODECS: Record<CodecName, URL> = {
  resample: new URL("./resample.wasm", import.meta.url),
  "jpeg-turbo": new URL("./jpeg-turbo.wasm", import.meta.url),
  "jpeg-encode": new URL("./jpeg-encode.wasm", import.meta.url),
  "webp-decode": new URL("./webp-decode.wasm", import.meta.url),
  "webp-encode": new URL("./webp-encode.wasm", import.meta.url),
  "avif-decode": new URL("./avif-decode.wasm", import.meta.url),
  "avif-encode": new URL("./avif-encode.wasm", import.meta.url),
};

/** By the side of their thumbnails in pixels. A new model is one new row here, and its files one in the build. */
const MODELS = {
  56: {
    card: new URL("./downscaler-56.json", import.meta.url),
    model: new URL("./downscaler-56.onnx", import.meta.url),
  },
  112: {
    card: new URL("./downscaler-112.json", import.meta.url),
    model: new URL("./downscaler-112.onnx", import.meta.url),
  },
} as const;

export type Size = keyof typeof MODELS;

/** In pixels a side. */
export const SIZES = Object.keys(MODELS).map(Number) as Size[];

// One thread: more would want a cross-origin isolated page, and could add up in another order.
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL("./onnxruntime.wasm", import.meta.url).href };

const codecs = new Kept<CodecName, WebAssembly.Module>(async (name) =>
  // Not `compileStreaming`, which wants a server that knows the media type of WebAssembly.
  WebAssembly.compile(await load(CODECS[name])),
);
const loadCodec: LoadCodec = (name) => codecs.get(name);

const runtimes = new Kept<Size, Runtime>(async (size) => {
  const model = load(MODELS[size].model);
  const card: ModelCard = JSON.parse(new TextDecoder().decode(await load(MODELS[size].card)));
  const bytes = new Uint8Array(await model);
  const downscaler = createDownscaler(card, () => loadModel(ort, card, bytes, { executionProviders: ["wasm"] }));
  return { downscalers: [downscaler], loadCodec };
});

/** The runtime that makes thumbnails of this side. @throws Error if its files cannot be fetched. */
export const runtimeOf = (size: Size): Promise<Runtime> => runtimes.get(size);

async function load(url: URL): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`${url.href} answered ${response.status}; it belongs beside the downscaler's script.`);
  return response.arrayBuffer();
}
