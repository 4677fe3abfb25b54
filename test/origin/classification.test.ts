import { describe, expect, test } from "vitest";
import { unpackByteStrings } from "../../src/oip/byte-strings.ts";
import type { Tensor } from "../../src/oip/datatypes.ts";
import { classify } from "../../src/origin/classification.ts";

const logits = (shape: number[], values: number[]): Tensor => ({
  name: "logits",
  datatype: "FP32",
  shape,
  bytes: new Uint8Array(new Float32Array(values).buffer),
});
const texts = (tensor: Tensor) => unpackByteStrings(tensor.bytes).map((bytes) => new TextDecoder().decode(bytes));

describe("the k best of each row as value:index:label", () => {
  test.each<[string, Tensor, number, string[], number[], string[]]>([
    ["best first", logits([1, 3], [1, 3, 2]), 2, ["a", "b", "c"], [1, 2], ["3.000000:1:b", "2.000000:2:c"]],
    ["more than there are", logits([1, 2], [1, 2]), 9, ["a", "b"], [1, 2], ["2.000000:1:b", "1.000000:0:a"]],
    ["row by row", logits([2, 2], [1, 2, 4, 3]), 1, ["a", "b"], [2, 1], ["2.000000:1:b", "4.000000:0:a"]],
    ["ties by index", logits([1, 3], [1, 1, 1]), 2, [], [1, 2], ["1.000000:0", "1.000000:1"]],
    ["without labels", logits([1, 2], [-0.5, 0.25]), 1, [], [1, 1], ["0.250000:1"]],
    ["a label with colons", logits([1, 1], [1]), 1, ["a:b"], [1, 1], ["1.000000:0:a:b"]],
  ])("%s", (_, output, k, labels, shape, expected) => {
    const classified = classify(output, k, labels);
    expect(classified).toMatchObject({ name: "logits", datatype: "BYTES", shape });
    expect(texts(classified)).toEqual(expected);
  });
});

test.each([
  ["another datatype", { ...logits([1, 4], [0]), datatype: "UINT8" as const }],
  ["more axes", logits([1, 1, 1], [0])],
])("%s cannot be classified", (_, output) => {
  expect(() => classify(output, 1)).toThrow(/classification needs an FP32 output/);
});
