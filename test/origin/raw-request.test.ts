/** Bodies without any JSON: which models take them, and of how many bytes. */
import { expect, test } from "vitest";
import type { Datatype } from "../../src/oip/datatypes.ts";
import type { ModelConfig } from "../../src/origin/model-config.ts";
import { rawRequest } from "../../src/origin/served-model.ts";

const model = (...inputs: readonly (readonly [datatype: Datatype, ...dims: number[]])[]): ModelConfig => ({
  name: "model",
  maxBatchSize: 8,
  inputs: inputs.map(([datatype, ...dims], i) => ({ name: `input${i}`, datatype, dims })),
  outputs: [],
  preferredBatchSize: 8,
  maxQueueDelayUs: 0,
});

test("the body is the one row of the one input", () => {
  const body = new Uint8Array(24);
  expect(rawRequest(model(["FP32", 2, 3]), body).inputs).toEqual([
    { name: "input0", datatype: "FP32", shape: [1, 2, 3], bytes: body },
  ]);
});

test.each([
  { of: model(["FP32", 2, 3]), bytes: 23, message: /Expected 24, got 23/ },
  { of: model(["UINT8", 3], ["UINT8", 3]), bytes: 3, message: /not possible/ },
  { of: model(["UINT8", -1, 3]), bytes: 3, message: /not possible/ },
  // Two axes of any size, whose product is positive.
  { of: model(["UINT8", -1, -1, 3]), bytes: 3, message: /not possible/ },
  { of: model(["UINT8", 0]), bytes: 0, message: /not possible/ },
])("$bytes bytes for $of.inputs are refused", ({ of, bytes, message }) => {
  expect(() => rawRequest(of, new Uint8Array(bytes))).toThrow(message);
});
