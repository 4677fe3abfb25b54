import { describe, expect, test } from "vitest";
import type { Datatype } from "../../src/oip/datatypes.ts";
import { packJsonData, unpackJsonData } from "../../src/oip/json-data.ts";

const pack = (datatype: Datatype, data: unknown, shape = [1]) => packJsonData("x", datatype, shape, data);

describe("every datatype keeps its extreme values through JSON and back", () => {
  test.each<[Datatype, (number | boolean | string)[], string]>([
    ["BOOL", [true, false], "0100"],
    ["UINT8", [0, 255], "00ff"],
    ["UINT16", [1, 65535], "0100ffff"],
    ["UINT32", [1, 4294967295], "01000000ffffffff"],
    ["UINT64", [1, 2 ** 53 - 1], "0100000000000000ffffffffffff1f00"],
    ["INT8", [-128, 127], "807f"],
    ["INT16", [-32768, 32767], "0080ff7f"],
    ["INT32", [-2147483648, 2147483647], "00000080ffffff7f"],
    ["INT64", [-1, 2 ** 53 - 1], "ffffffffffffffffffffffffffff1f00"],
    ["FP32", [1.5, -2], "0000c03f000000c0"],
    ["FP64", [1.5, 5e-324], "000000000000f83f0100000000000000"],
    ["BYTES", ["é", ""], "02000000c3a900000000"],
  ])("%s", (datatype, data, hex) => {
    const bytes = pack(datatype, data, [2]);
    expect(Buffer.from(bytes).toString("hex")).toBe(hex);
    expect(unpackJsonData({ name: "x", datatype, shape: [2], bytes })).toEqual(data);
  });
});

describe("a value that the datatype cannot hold exactly is refused", () => {
  test.each<[Datatype, unknown]>([
    ["BOOL", 1],
    ["UINT8", 256],
    ["UINT8", -1],
    ["UINT8", 1.5],
    ["UINT8", "1"],
    ["UINT8", null],
    ["UINT8", true],
    ["UINT16", 65536],
    ["UINT32", 4294967296],
    ["UINT64", -1],
    ["UINT64", 2 ** 53],
    ["INT8", 128],
    ["INT16", -32769],
    ["INT32", 2147483648],
    ["INT64", 2 ** 53],
    ["INT64", 0.5],
    ["FP32", 1e39],
    ["FP32", "1"],
    ["FP64", null],
    ["BYTES", 1],
  ])("%s %j", (datatype, value) => {
    expect(() => pack(datatype, [value])).toThrow(/Value 0 of x is not/);
  });
});

describe("a refused value is named in a few words", () => {
  let deep: unknown = 0;
  for (let depth = 0; depth < 100_000; depth++) deep = { deep };
  test.each<[string, Datatype, unknown]>([
    ["an object that is deep", "UINT8", deep],
    ["an object that is deep", "BYTES", deep],
    ["a text that is long", "UINT8", "x".repeat(1_000_000)],
  ])("%s, as %s", (_, datatype, value) => {
    expect(() => pack(datatype, [value])).toThrow(/^Value 0 of x is not (UINT8|a string): .{1,90}$/);
  });
});

describe("the count must be the shape's, however the values are nested", () => {
  test.each<[string, unknown, number[]]>([
    ["flat", [1, 2, 3, 4], [2, 2]],
    [
      "nested",
      [
        [1, 2],
        [3, 4],
      ],
      [2, 2],
    ],
    ["nested otherwise", [[1, 2, 3], [4]], [2, 2]],
    ["no elements", [], [0, 2]],
    ["a scalar", [7], []],
  ])("%s is taken", (_, data, shape) => {
    expect(pack("UINT8", data, shape).byteLength).toBe(shape.reduce((a, b) => a * b, 1));
  });

  test.each<[string, unknown, number[]]>([
    ["too few", [1, 2, 3], [2, 2]],
    ["too many", [1, 2, 3, 4, 5], [2, 2]],
    ["not an array", "1234", [2, 2]],
    ["an object", { length: 4 }, [2, 2]],
    ["absent", undefined, [2, 2]],
  ])("%s is refused", (_, data, shape) => {
    expect(() => pack("UINT8", data, shape)).toThrow(/Expected/);
  });

  test("nesting has a limit", () => {
    const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)]);
    expect(pack("UINT8", nest(16)).byteLength).toBe(1);
    expect(() => pack("UINT8", nest(17))).toThrow(/nesting/);
  });

  test("a shape beyond 2^53 elements is refused before anything is allocated", () => {
    expect(() => pack("UINT8", [1], [9007199254740991, 56])).toThrow(/more elements/);
  });
});

describe("what JSON has no form for", () => {
  test.each<Datatype>(["FP16", "BF16"])("%s goes in binary only", (datatype) => {
    expect(() => pack(datatype, [1])).toThrow(/binary only/);
    expect(() => unpackJsonData({ name: "x", datatype, shape: [1], bytes: new Uint8Array(2) })).toThrow(/binary only/);
  });

  test.each<[Datatype, Float32Array | BigInt64Array | BigUint64Array]>([
    ["FP32", new Float32Array([Number.NaN])],
    ["FP32", new Float32Array([Number.POSITIVE_INFINITY])],
    ["INT64", new BigInt64Array([-9007199254740993n])],
    ["UINT64", new BigUint64Array([9007199254740993n])],
  ])("%s %s in an answer is an error, neither null nor another number", (datatype, values) => {
    const bytes = new Uint8Array(values.buffer);
    expect(() => unpackJsonData({ name: "x", datatype, shape: [1], bytes })).toThrow(/not finite or not exact in JSON/);
  });

  test("the largest exact integer is carried, and a float beyond it", () => {
    const carried = (datatype: Datatype, values: BigInt64Array | Float64Array) =>
      unpackJsonData({ name: "x", datatype, shape: [1], bytes: new Uint8Array(values.buffer) });
    expect(carried("INT64", new BigInt64Array([9007199254740991n]))).toEqual([9007199254740991]);
    expect(carried("FP64", new Float64Array([1e300]))).toEqual([1e300]);
  });
});
