import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseModelConfig } from "../../src/origin/model-config.ts";

const IN = 'input [{ name: "x" data_type: TYPE_UINT8 dims: [ 2, 2, 3 ] }]';
const OUT = 'output [{ name: "y" data_type: TYPE_FP32 dims: [ 10 ] label_filename: "labels.txt" }]';
const config = (extra: string, batch = "max_batch_size: 8") => `name: "m" ${batch} ${IN} ${OUT} ${extra}`;

test("everything the server uses is read, what it does not use is passed over", () => {
  const text = config(
    'backend: "onnxruntime" instance_group [{ count: 1 kind: KIND_CPU }] dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 2000 }',
  );
  expect(parseModelConfig(text, "m")).toEqual({
    name: "m",
    maxBatchSize: 8,
    inputs: [{ name: "x", datatype: "UINT8", dims: [2, 2, 3], labelFile: undefined }],
    outputs: [{ name: "y", datatype: "FP32", dims: [10], labelFile: "labels.txt" }],
    preferredBatchSize: 4,
    maxQueueDelayUs: 2000,
  });
});

test.each([
  ["no dynamic_batching", ""],
  ["an empty one", "dynamic_batching { }"],
])("with %s a batch is full at the maximum and waits for nobody", (_, extra) => {
  expect(parseModelConfig(config(extra), "m")).toMatchObject({ preferredBatchSize: 8, maxQueueDelayUs: 0 });
});

test("a configuration without a name takes the folder's, as in Triton", () => {
  expect(parseModelConfig(`max_batch_size: 1 ${IN} ${OUT}`, "folder").name).toBe("folder");
});

describe("a configuration that cannot be served is refused, and named", () => {
  test.each([
    ["another name", `name: "other" max_batch_size: 1 ${IN} ${OUT}`, /names the model "other", expected "m"/],
    ["no batch axis", config("", "max_batch_size: 0"), /max_batch_size/],
    ["no maximum batch", config("", ""), /max_batch_size/],
    ["a maximum given twice", config("", "max_batch_size: 1 max_batch_size: 2"), /max_batch_size/],
    ["no output", `max_batch_size: 1 ${IN}`, /output/],
    [
      "strings as input",
      `max_batch_size: 1 ${OUT} input [{ name: "x" data_type: TYPE_STRING dims: [ 1 ] }]`,
      /data_type/,
    ],
    ["text that is not of the format", "{", /m\/config.pbtxt: Expected a field name/],
  ])("%s", (_, text, message) => {
    expect(() => parseModelConfig(text, "m")).toThrow(message);
  });
});

test.each(["echo", "slow"])("the test model %s is readable", (name) => {
  expect(parseModelConfig(readFileSync(`test/origin/models/${name}/config.pbtxt`, "utf8"), name).name).toBe(name);
});
