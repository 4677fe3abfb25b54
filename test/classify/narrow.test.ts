import { expect, test } from "vitest";
import { narrow, positions } from "../../src/classify/narrow.ts";

const KNOWN = ["ant", "bee", "cow", "dog"];

test.each<[readonly string[], readonly number[] | undefined]>([
  [KNOWN, [0, 1, 2, 3]],
  [
    ["dog", "ant"],
    [3, 0],
  ],
  [[], []],
  [["dog", "eel"], undefined],
])("%j among the known ones", (wanted, expected) => {
  expect(positions(KNOWN, wanted)).toEqual(expected);
});

test("logits are those of the wanted classes, in their order", () => {
  expect(narrow(Float32Array.of(1, 2, 3, 4), [3, 0])).toEqual(Float32Array.of(4, 1));
});
