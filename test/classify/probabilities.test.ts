import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { softmax, topK } from "../../src/classify/probabilities.ts";

const logits = (...values: number[]) => Float32Array.from(values);

describe("softmax", () => {
  test.each<[string, Float32Array, number, number[]]>([
    ["equal logits are equally probable", logits(3, 3), 1, [0.5, 0.5]],
    ["a difference of ln 3 is three to one", logits(Math.log(3), 0), 1, [0.75, 0.25]],
    ["a temperature flattens", logits(2 * Math.log(3), 0), 2, [0.75, 0.25]],
    ["a low one sharpens", logits(Math.log(3) / 2, 0), 0.5, [0.75, 0.25]],
    ["huge logits do not overflow", logits(3e38, -3e38), 1, [1, 0]],
    ["one class is certain", logits(-5), 1, [1]],
  ])("%s", (_, input, temperature, expected) => {
    for (const [i, value] of softmax(input, temperature).entries())
      expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 6);
  });

  test("always sums to 1 and keeps the order", () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -50, max: 50 });
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1, maxLength: 20 }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (values, t) => {
          const probabilities = softmax(logits(...values), t);
          expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
          for (const [i, p] of probabilities.entries())
            for (const [j, q] of probabilities.entries())
              if ((values[i] ?? 0) > (values[j] ?? 0)) expect(p).toBeGreaterThanOrEqual(q);
        },
      ),
    );
  });
});

test.each<[string, number, string[], [string, number][]]>([
  [
    "best first",
    2,
    ["a", "b", "c"],
    [
      ["b", 1],
      ["c", 2],
    ],
  ],
  [
    "all, if fewer exist",
    9,
    ["a", "b", "c"],
    [
      ["b", 1],
      ["c", 2],
      ["a", 0],
    ],
  ],
  ["a class without a label goes by its number", 1, ["a"], [["1", 1]]],
])("topK: %s", (_, k, labels, expected) => {
  const best = topK(Float64Array.of(0.1, 0.6, 0.3), labels, k);
  expect(best.map(({ label, index }) => [label, index])).toEqual(expected);
});

test("topK: ties go by index", () => {
  expect(topK(Float64Array.of(0.5, 0.5), ["a", "b"], 2).map(({ index }) => index)).toEqual([0, 1]);
});
