/**
 * onnxruntime-web inside workerd.
 *
 * workerd forbids compiling WebAssembly from bytes, and ONNX Runtime offers no way to hand it a compiled module. So while
 * a session is created, `WebAssembly.instantiate(marker, imports)` is answered with an instance of the module that the
 * bundler compiled. Everything else passes through, and the global is restored afterwards.
 */

import compiled from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import * as ort from "onnxruntime-web/wasm";
import type { ModelCard } from "./card.ts";
import type { RunModel } from "./downscaler.ts";
import { loadModel } from "./session.ts";

const marker = new ArrayBuffer(8);
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = marker;

const instantiate = WebAssembly.instantiate;
let loading = 0;

/** Loads a model; the first call also instantiates ONNX Runtime, which takes some hundred milliseconds of CPU. */
export async function loadInWorkerd(card: ModelCard, bytes: ArrayBuffer): Promise<RunModel> {
  loading += 1;
  Reflect.set(WebAssembly, "instantiate", instantiateCompiled);
  try {
    return await loadModel(ort, card, new Uint8Array(bytes), { executionProviders: ["wasm"] });
  } finally {
    loading -= 1;
    if (loading === 0) Reflect.set(WebAssembly, "instantiate", instantiate);
  }
}

async function instantiateCompiled(source: unknown, imports?: WebAssembly.Imports): Promise<unknown> {
  if (!(source instanceof Uint8Array && source.buffer === marker))
    return Reflect.apply(instantiate, WebAssembly, [source, imports]);
  return { instance: await instantiate(compiled, imports), module: compiled };
}
