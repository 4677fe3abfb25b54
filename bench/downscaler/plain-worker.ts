/** As worker.ts, but without ONNX Runtime: `/<size>/1/<count>` runs a downscaler `count` times in plain WebAssembly. */
import model56 from "../../models/downscaler-56/1/model.onnx";
import model112 from "../../models/downscaler-112/1/model.onnx";
import type { RunModel } from "../../src/downscaler/downscaler.ts";
import conv from "./conv.wasm";
import { picture } from "./picture.ts";
import { loadPlain } from "./plain.ts";

const MODELS = new Map([
  ["56", model56],
  ["112", model112],
]);
const loaded = new Map<string, RunModel>();

export default {
  async fetch(request) {
    const [, size = "", , count = "0"] = new URL(request.url).pathname.split("/");
    const model = MODELS.get(size);
    if (model) {
      const run = loaded.get(size) ?? loadPlain(conv, new Uint8Array(model), Number(size));
      loaded.set(size, run);
      for (let i = 0; i < Number(count); i++) await run(picture(1), [1, 224, 224, 3]);
    }
    return new Response("done");
  },
} satisfies ExportedHandler;
