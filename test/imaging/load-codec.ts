import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { CodecName, LoadCodec } from "../../src/imaging/image.ts";

const FILES: Record<CodecName, string> = {
  "jpeg-turbo": "@cwasm/jpeg-turbo/jpeg-turbo.wasm",
  "jpeg-encode": "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm",
  "webp-decode": "@jsquash/webp/codec/dec/webp_dec.wasm",
  "webp-encode": "@jsquash/webp/codec/enc/webp_enc_simd.wasm",
  "avif-decode": "@jsquash/avif/codec/dec/avif_dec.wasm",
};

const modules = new Map<CodecName, Promise<WebAssembly.Module>>();

/** Compiles the codecs' wasm from node_modules, each once. */
export const loadCodec: LoadCodec = (name) => {
  let module = modules.get(name);
  if (!module) {
    const path = createRequire(import.meta.url).resolve(FILES[name]);
    module = readFile(path).then((bytes) => WebAssembly.compile(bytes));
    modules.set(name, module);
  }
  return module;
};
