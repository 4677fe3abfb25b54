/** As worker.ts, but without ONNX Runtime: `/<size>/1/<count>` runs a downscaler `count` times in the SIMD kernel. */
import model56 from "../../models/downscaler-56/1/model.onnx";
import card56 from "../../models/downscaler-56/card.json";
import model112 from "../../models/downscaler-112/1/model.onnx";
import card112 from "../../models/downscaler-112/card.json";
import { parseCard } from "../../src/downscaler/card.ts";
import type { RunModel } from "../../src/downscaler/downscaler.ts";
import conv from "../../src/downscaler/simd/conv.wasm";
import { loadSimd } from "../../src/downscaler/simd/network.ts";
import { picture } from "./picture.ts";

const MODELS: Record<string, () => RunModel> = {
  "56": () => loadSimd(conv, parseCard(card56, "in the bundle"), new Uint8Array(model56)),
  "112": () => loadSimd(conv, parseCard(card112, "in the bundle"), new Uint8Array(model112)),
};
const loaded = new Map<string, RunModel>();

export default {
  async fetch(request) {
    const [, size = "", , count = "0"] = new URL(request.url).pathname.split("/");
    const run = loaded.get(size) ?? MODELS[size]?.();
    if (run) {
      loaded.set(size, run);
      for (let i = 0; i < Number(count); i++) await run(picture(1), [1, 224, 224, 3]);
    }
    return new Response("done");
  },
} satisfies ExportedHandler;
