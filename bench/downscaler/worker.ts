/**
 * The downscalers in workerd, as the service runs them. `/<size>/<batch>/<count>` runs one `count` times on as many images and
 * answers when it is done; the clock that counts is the client's, as a Worker's own stands still while it computes.
 */
import model56 from "../../models/downscaler-56/1/model.onnx";
import card56 from "../../models/downscaler-56/card.json";
import model112 from "../../models/downscaler-112/1/model.onnx";
import card112 from "../../models/downscaler-112/card.json";
import { parseCard } from "../../src/downscaler/card.ts";
import type { RunModel } from "../../src/downscaler/downscaler.ts";
import { loadInWorkerd } from "../../src/downscaler/ort-workerd.ts";
import { picture } from "./picture.ts";

const MODELS = new Map([
  ["56", { card: card56, bytes: model56 }],
  ["112", { card: card112, bytes: model112 }],
]);
const loaded = new Map<string, Promise<RunModel>>();

export default {
  async fetch(request) {
    const [, size = "", batch = "1", count = "0"] = new URL(request.url).pathname.split("/");
    const model = MODELS.get(size);
    if (model) {
      const loading = loaded.get(size) ?? loadInWorkerd(parseCard(model.card, "in the bundle"), model.bytes);
      loaded.set(size, loading);
      const run = await loading;
      const images = picture(Number(batch));
      for (let i = 0; i < Number(count); i++) await run(images, [Number(batch), 224, 224, 3]);
    }
    return new Response("done");
  },
} satisfies ExportedHandler;
