/** A head of the models folder: from the pixels of one image to the best class. Ensembles run step by step. */
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import { parseCard } from "../../src/downscaler/card.ts";

export interface Head {
  readonly name: string;
  readonly flops: number;
  /** @param pixels uint8 [side, side, 3]. @returns index of the best class. */
  readonly best: (pixels: Uint8Array) => Promise<number>;
}

export async function loadHead(name: string): Promise<Head> {
  const card = parseCard(JSON.parse(await readFile(`models/${name}/card.json`, "utf8")), name);
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const sessions = await Promise.all(
    (card.steps ?? [name]).map((step) => ort.InferenceSession.create(`models/${step}/1/model.onnx`, options)),
  );
  const [, height = 0, width = 0] = card.input.shape;
  return {
    name,
    flops: card.flops,
    async best(pixels) {
      let value: ort.OnnxValue | undefined = new ort.Tensor("uint8", pixels, [1, height, width, 3]);
      for (const session of sessions) {
        const [input = "", output = ""] = [...session.inputNames, ...session.outputNames];
        value = (await session.run({ [input]: value }))[output];
        if (!(value instanceof ort.Tensor)) throw new Error(`${name} gave no tensor ${output}.`);
      }
      if (!(value.data instanceof Float32Array)) throw new Error(`${name} gave no float32 logits.`);
      const logits = value.data;
      return logits.reduce((best, logit, i) => (logit > (logits[best] ?? Number.NEGATIVE_INFINITY) ? i : best), 0);
    },
  };
}
