import { expect, test } from "vitest";
import { packByteStrings, unpackByteStrings } from "../../src/oip/byte-strings.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("elements of any content come back as they were", () => {
  const elements = [bytes("47.887520:2:cassette player"), bytes(""), new Uint8Array([0, 255, 10])];
  expect(unpackByteStrings(packByteStrings(elements))).toEqual(elements);
});

test("no bytes are no elements", () => {
  expect(unpackByteStrings(packByteStrings([]))).toEqual([]);
});

test.each([
  ["a cut length", [1, 0, 0]],
  ["a cut element", [2, 0, 0, 0, 65]],
  ["a length past 2^31", [255, 255, 255, 255, 65]],
  ["a second element cut", [1, 0, 0, 0, 65, 1]],
])("%s is refused", (_, packed) => {
  expect(() => unpackByteStrings(new Uint8Array(packed))).toThrow(/runs past/);
});
