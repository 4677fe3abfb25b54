import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/oip/datatypes.ts";
import { ProtocolError } from "../../src/oip/error.ts";
import { HEADER_LENGTH } from "../../src/oip/framing.ts";
import {
  encodeInferRequest,
  encodeInferResponse,
  parseInferRequest,
  parseInferResponse,
  tensorNamed,
} from "../../src/oip/infer.ts";
import { MAX_AXES, MAX_TENSORS } from "../../src/oip/messages.ts";

const image: Tensor = {
  name: "thumbnail",
  datatype: "UINT8",
  shape: [1, 2, 1, 3],
  bytes: Uint8Array.of(1, 2, 3, 4, 5, 6),
};
const json = (message: unknown) => new TextEncoder().encode(JSON.stringify(message));
const input = (change: object = {}) => ({ name: "x", shape: [2], datatype: "UINT8", data: [1, 2], ...change });
const binaryInput = (size: unknown, change: object = {}) =>
  input({ data: undefined, parameters: { binary_data_size: size }, ...change });

/** A body of a header and bytes after it, with the header's true length. */
function framed(message: unknown, ...bytes: number[]): [Uint8Array, string] {
  const header = json(message);
  return [Uint8Array.of(...header, ...bytes), String(header.byteLength)];
}

describe("a request arrives as it was sent", () => {
  test.each([true, false])("binary: %s", (binary) => {
    const { headers, body } = encodeInferRequest([image], binary);
    const request = parseInferRequest(body, headers[HEADER_LENGTH]);
    expect(request.inputs).toEqual([image]);
    expect(request.binaryOutput).toBe(binary);
    expect(headers["Content-Type"]).toBe(binary ? "application/octet-stream" : "application/json");
  });

  test("several tensors keep their own bytes", () => {
    const other: Tensor = { name: "other", datatype: "FP32", shape: [1], bytes: Uint8Array.of(0, 0, 192, 63) };
    const { headers, body } = encodeInferRequest([image, other], true);
    expect(parseInferRequest(body, headers[HEADER_LENGTH]).inputs).toEqual([image, other]);
  });

  test("JSON and binary inputs may be mixed", () => {
    const [body, length] = framed({ inputs: [input({ name: "a" }), binaryInput(2, { name: "b" })] }, 8, 9);
    expect(parseInferRequest(body, length).inputs.map(({ bytes }) => [...bytes])).toEqual([
      [1, 2],
      [8, 9],
    ]);
  });

  test("id, outputs and timeout are read; members we do not know are passed over", () => {
    const outputs = [{ name: "logits", parameters: { classification: 3, binary_data: true } }];
    const body = json({ id: "42", inputs: [input()], outputs, parameters: { timeout: 5000, priority: 1 }, more: {} });
    expect(parseInferRequest(body, undefined)).toMatchObject({ id: "42", outputs, timeout: 5000, binaryOutput: false });
  });
});

describe("a response arrives as it was sent", () => {
  const logits: Tensor = {
    name: "logits",
    datatype: "FP32",
    shape: [1, 2],
    bytes: new Uint8Array(new Float32Array([0.1, -3]).buffer),
  };
  const labels: Tensor = { name: "labels", datatype: "BYTES", shape: [1], bytes: Uint8Array.of(1, 0, 0, 0, 65) };

  test.each([[["logits", "labels"]], [["labels"]], [[]]])("with %j in binary", (binary) => {
    const response = { model: "m", version: "1", id: "42", outputs: [logits, labels] };
    const { headers, body } = encodeInferResponse(response, new Set(binary));
    expect(headers[HEADER_LENGTH] !== undefined).toBe(binary.length > 0);
    expect(parseInferResponse(body, headers[HEADER_LENGTH])).toEqual(response);
  });

  test("FP32 keeps every bit through JSON", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const bytes = new Uint8Array(new Float32Array([value === 0 ? 0 : value]).buffer);
        const outputs: Tensor[] = [{ name: "y", datatype: "FP32", shape: [1], bytes }];
        const { body } = encodeInferResponse({ model: "m", outputs }, new Set());
        expect(parseInferResponse(body, undefined).outputs).toEqual(outputs);
      }),
    );
  });

  test("null id and version, as some servers write them, are absent", () => {
    const body = json({ model_name: "m", model_version: null, id: null, outputs: [] });
    expect(parseInferResponse(body, undefined)).toEqual({ model: "m", version: undefined, id: undefined, outputs: [] });
  });
});

describe("a body that breaks the framing is refused", () => {
  const good = framed({ inputs: [binaryInput(2)] }, 8, 9);
  test.each<[string, Uint8Array, string | undefined, RegExp]>([
    ["header length past the end", good[0], "999999", /Inference-Header-Content-Length/],
    ["header length too small", good[0], "10", /not JSON/],
    ["header length negative", good[0], "-5", /Inference-Header-Content-Length/],
    ["header length not a number", good[0], "abc", /Inference-Header-Content-Length/],
    ["header length empty", good[0], "", /Inference-Header-Content-Length/],
    ["header length absent", good[0], undefined, /not JSON/],
    ["a byte too few", good[0].subarray(0, -1), good[1], /1 more bytes/],
    ["a byte too many", Uint8Array.of(...good[0], 0), good[1], /1 bytes follow/],
    ["size not the shape's", ...framed({ inputs: [binaryInput(1)] }, 8), /binary_data_size is 1/],
    ["size negative", ...framed({ inputs: [binaryInput(-2)] }, 8, 9), /binary_data_size/],
    ["size a string", ...framed({ inputs: [binaryInput("2")] }, 8, 9), /binary_data_size/],
    ["data and binary size", ...framed({ inputs: [binaryInput(2, { data: [1, 2] })] }, 8, 9), /either/],
    ["no data at all", json({ inputs: [input({ data: undefined })] }), undefined, /either/],
    [
      "fewer BYTES elements than the shape",
      ...framed({ inputs: [binaryInput(5, { datatype: "BYTES", shape: [2] })] }, 1, 0, 0, 0, 1),
      /2 elements/,
    ],
    [
      "a BYTES element cut short",
      ...framed({ inputs: [binaryInput(5, { datatype: "BYTES", shape: [1] })] }, 8, 0, 0, 0, 1),
      /runs past/,
    ],
  ])("%s", (_, body, length, message) => {
    expect(() => parseInferRequest(body, length)).toThrow(message);
  });
});

describe("a message of the wrong form is refused with its place", () => {
  test.each<[string, unknown, RegExp]>([
    ["not an object", [], /message: /],
    ["null", null, /message: /],
    ["no inputs", {}, /inputs/],
    ["inputs not a list", { inputs: {} }, /inputs/],
    ["no input", { inputs: [] }, /inputs/],
    ["no name", { inputs: [input({ name: undefined })] }, /inputs\.0\.name/],
    ["no shape", { inputs: [input({ shape: undefined })] }, /inputs\.0\.shape/],
    ["a negative shape", { inputs: [input({ shape: [-1] })] }, /inputs\.0\.shape\.0/],
    ["a fractional shape", { inputs: [input({ shape: [1.5] })] }, /inputs\.0\.shape\.0/],
    ["an unknown datatype", { inputs: [input({ datatype: "FOO" })] }, /inputs\.0\.datatype/],
    ["an id that is a number", { id: 42, inputs: [input()] }, /id/],
    ["an output without a name", { inputs: [input()], outputs: [{}] }, /outputs\.0\.name/],
    [
      "a negative classification",
      { inputs: [input()], outputs: [{ name: "y", parameters: { classification: -1 } }] },
      /classification/,
    ],
    [
      "binary_data as text",
      { inputs: [input()], outputs: [{ name: "y", parameters: { binary_data: "true" } }] },
      /binary_data/,
    ],
    ["a timeout as text", { inputs: [input()], parameters: { timeout: "x" } }, /timeout/],
  ])("%s", (_, message, expected) => {
    expect(() => parseInferRequest(json(message), undefined)).toThrow(expected);
  });

  test.each([["{"], [""], ["\ufeff{}x"]])("malformed JSON %j", (text) => {
    expect(() => parseInferRequest(new TextEncoder().encode(text), undefined)).toThrow(/not JSON/);
  });

  test("bytes that are not UTF-8", () => {
    expect(() => parseInferRequest(Uint8Array.of(0x7b, 0xff), undefined)).toThrow(/not JSON in UTF-8/);
  });
});

describe("a list has at most as many elements as anyone needs", () => {
  const list = (length: number, element: (i: number) => unknown) => Array.from({ length }, (_, i) => element(i));
  const inputs = (length: number) => ({ inputs: list(length, (i) => input({ name: `x${i}` })) });
  const outputs = (length: number) => ({ inputs: [input()], outputs: list(length, (i) => ({ name: `y${i}` })) });
  const axes = (length: number) => ({ inputs: [input({ shape: list(length, () => 1), data: [1] })] });

  test.each([
    ["inputs", inputs(MAX_TENSORS), MAX_TENSORS],
    ["outputs", outputs(MAX_TENSORS), MAX_TENSORS],
    ["inputs.0.shape", axes(MAX_AXES), MAX_AXES],
  ])("as many %s are read", (list, message, length) => {
    expect(parseInferRequest(json(message), undefined)).toHaveProperty(`${list}.length`, length);
  });

  // Of the many elements, which are all wrong, nothing is said.
  const wrong = 400_000;
  test.each([
    ["one input more", inputs(MAX_TENSORS + 1), /^inputs: Too big[^;]*$/],
    ["one output more", outputs(MAX_TENSORS + 1), /^outputs: Too big[^;]*$/],
    ["one axis more", axes(MAX_AXES + 1), /^inputs\.0\.shape: Too big[^;]*$/],
    ["a body of inputs", { inputs: list(wrong, () => 0) }, /^inputs: Too big[^;]*$/],
    ["a body of outputs", { inputs: [input()], outputs: list(wrong, () => 0) }, /^outputs: Too big[^;]*$/],
    ["a body of axes", { inputs: [input({ shape: list(wrong, () => -1) })] }, /^inputs\.0\.shape: Too big[^;]*$/],
  ])("%s is refused in a sentence", (_, message, expected) => {
    expect(() => parseInferRequest(json(message), undefined)).toThrow(expected);
  });

  test("so has a response", () => {
    const response = (length: number) => json({ model_name: "m", outputs: list(length, () => input()) });
    expect(parseInferResponse(response(MAX_TENSORS), undefined).outputs).toHaveLength(MAX_TENSORS);
    expect(() => parseInferResponse(response(MAX_TENSORS + 1), undefined)).toThrow(/^outputs: Too big/);
  });
});

test("what is asked is checked before the contents are unpacked", () => {
  const asked: unknown[] = [];
  const refuse = (request: unknown) => {
    asked.push(request);
    throw new ProtocolError(400, "not for me");
  };
  const message = { inputs: [input({ data: "no list" })], outputs: [{ name: "y" }] };
  expect(() => parseInferRequest(json(message), undefined, refuse)).toThrow("not for me");
  expect(asked).toMatchObject([{ inputs: [{ name: "x", shape: [2], datatype: "UINT8" }], outputs: [{ name: "y" }] }]);
});

test("whatever bytes come, parsing throws a ProtocolError or succeeds", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.option(fc.string()), (body, length) => {
      try {
        parseInferRequest(body, length ?? undefined);
      } catch (error) {
        expect(error).toHaveProperty("name", "ProtocolError");
      }
    }),
  );
});

test("an absent tensor is named with those that came", () => {
  expect(tensorNamed([image], "thumbnail")).toBe(image);
  expect(() => tensorNamed([image], "logits")).toThrow("Expected a tensor logits, but got thumbnail.");
});
