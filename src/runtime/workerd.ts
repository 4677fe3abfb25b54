/** What the bundle carries for workerd: compiled codecs and the downscalers. A new model is one new row here. */
import model56 from "../../models/downscaler-56/1/model.onnx";
import card56 from "../../models/downscaler-56/card.json";
import model112 from "../../models/downscaler-112/1/model.onnx";
import card112 from "../../models/downscaler-112/card.json";
import { type ModelCard, parseCard } from "../downscaler/card.ts";
import { createDownscaler, type Downscaler, type RunModel } from "../downscaler/downscaler.ts";
import avifDecode from "../imaging/codecs/avif-decode.wasm";
import avifEncode from "../imaging/codecs/avif-encode.wasm";
import jpegEncode from "../imaging/codecs/jpeg-encode.wasm";
import jpegTurbo from "../imaging/codecs/jpeg-turbo.wasm";
import webpDecode from "../imaging/codecs/webp-decode.wasm";
import webpEncode from "../imaging/codecs/webp-encode.wasm";
import type { CodecName, LoadCodec } from "../imaging/image.ts";
import resample from "../imaging/resample.wasm";

const codecs: Record<CodecName, WebAssembly.Module> = {
  resample,
  "jpeg-turbo": jpegTurbo,
  "jpeg-encode": jpegEncode,
  "webp-decode": webpDecode,
  "webp-encode": webpEncode,
  "avif-decode": avifDecode,
  "avif-encode": avifEncode,
};

export const loadCodec: LoadCodec = async (name) => codecs[name];

/** @param bytes an ONNX file. */
export type LoadModel = (card: ModelCard, bytes: ArrayBuffer) => Promise<RunModel>;

export function bundledDownscalers(load: LoadModel): readonly Downscaler[] {
  const bundled = (json: unknown, bytes: ArrayBuffer) => {
    const card = parseCard(json, "in the bundle");
    return createDownscaler(card, () => load(card, bytes));
  };
  return [bundled(card56, model56), bundled(card112, model112)];
}
