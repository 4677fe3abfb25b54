import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { checkEnsemble } from "../../src/origin/ensemble.ts";
import { type ModelConfig, parseModelConfig } from "../../src/origin/model-config.ts";
import { readRepository } from "../../src/origin/repository.ts";
import { type RunningOrigin, startOrigin } from "./start-origin.ts";

const read = (name: string) => parseModelConfig(readFileSync(`models/${name}/config.pbtxt`, "utf8"), name);
const NAMES = ["restorer-56", "teacher-224", "restored-56"];
const models = new Map(NAMES.map((name) => [name, read(name)]));
const ensemble = read("restored-56");

test("an ensemble's steps are read as Triton has them", () => {
  expect(ensemble.steps).toEqual([
    {
      model: "restorer-56",
      inputs: new Map([["thumbnail", "thumbnail"]]),
      outputs: new Map([["image", "image"]]),
    },
    { model: "teacher-224", inputs: new Map([["image", "image"]]), outputs: new Map([["logits", "logits"]]) },
  ]);
  expect(() => checkEnsemble(ensemble, models)).not.toThrow();
});

test("it needs no file of its own, any other model does", () => {
  const files = new Map(readRepository("models").map(({ config, file }) => [config.name, file]));
  expect(files.get("restored-56")).toBeUndefined();
  expect(files.get("restorer-56")).toMatch(/model\.onnx$/);
});

describe("an ensemble that cannot run is refused at start, and named", () => {
  const [restore, teach] = ensemble.steps ?? [];
  if (!restore || !teach) throw new Error("Expected two steps.");
  test.each<[string, Partial<ModelConfig>, RegExp]>([
    ["a model that is not there", { steps: [{ ...restore, model: "gone" }, teach] }, /no ensemble, but got "gone"/],
    ["itself as a step", { steps: [{ ...restore, model: "restored-56" }, teach] }, /no ensemble/],
    ["steps in the wrong order", { steps: [teach, restore] }, /input image of teacher-224 is given by no step/],
    ["an output of no step", { steps: [restore] }, /output logits is given by no step/],
    [
      "an output that the model lacks",
      { steps: [{ ...restore, outputs: new Map([["photo", "image"]]) }, teach] },
      /restorer-56 has no output "photo"/,
    ],
    ["larger batches than a step takes", { maxBatchSize: 65 }, /max_batch_size 65 is above that of restorer-56, 64/],
    [
      "a tensor of another shape",
      { inputs: [{ name: "thumbnail", datatype: "UINT8", dims: [112, 112, 3] }] },
      /expected UINT8 \[56,56,3\], but it is given UINT8 \[112,112,3\]/,
    ],
  ])("%s", (_, change, message) => {
    expect(() => checkEnsemble({ ...ensemble, ...change }, models)).toThrow(message);
  });
});

describe("the server answers for an ensemble as its models do one after the other", () => {
  let origin: RunningOrigin;
  beforeAll(async () => {
    origin = await startOrigin();
  });
  afterAll(() => origin.stop());
  const answer = z.object({ outputs: z.tuple([z.object({ shape: z.array(z.int()), data: z.array(z.number()) })]) });

  test.each([1, 3])("%d at once", async (rows) => {
    const pixels = Uint8Array.from({ length: rows * 56 * 56 * 3 }, (_, i) => (i * 7 + (i >> 8)) % 256);
    const input = { name: "thumbnail", datatype: "UINT8", shape: [rows, 56, 56, 3], data: [...pixels] };
    const reply = await fetch(`${origin.url}/v2/models/restored-56/infer`, {
      method: "POST",
      body: JSON.stringify({ inputs: [input] }),
    });
    const [{ shape, data }] = answer.parse(await reply.json()).outputs;
    let tensor: ort.Tensor | undefined = new ort.Tensor("uint8", pixels, [rows, 56, 56, 3]);
    for (const [name, output] of [
      ["restorer-56", "image"],
      ["teacher-224", "logits"],
    ] as const) {
      const session = await ort.InferenceSession.create(`models/${name}/1/model.onnx`);
      const found: ort.OnnxValue | undefined = (await session.run({ [session.inputNames[0] ?? ""]: tensor }))[output];
      if (!(found instanceof ort.Tensor)) throw new Error(`Expected ${output}.`);
      tensor = found;
    }
    expect(shape).toEqual([rows, 1000]);
    const expected = [...(tensor.data as Float32Array)];
    for (const [i, value] of data.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 3);
  });
});
