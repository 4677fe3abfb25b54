import { readFileSync } from "node:fs";
import { gunzipSync, inflateSync } from "node:zlib";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { float32Values } from "../../src/oip/datatypes.ts";
import { HEADER_LENGTH } from "../../src/oip/framing.ts";
import { encodeInferRequest, parseInferResponse, tensorNamed } from "../../src/oip/infer.ts";
import { MAX_AXES, MAX_TENSORS } from "../../src/oip/messages.ts";
import { CONVERSATIONS, MODEL } from "./conversations.ts";
import { bodyOf, exchange, type Reply } from "./http.ts";
import { type RunningOrigin, startOrigin } from "./start-origin.ts";

const MODELS = process.env.ORIGIN_MODELS ?? "models";
const INFER = `/v2/models/${MODEL}/infer`;
const SIZE = 56 * 56 * 3;

let origin: RunningOrigin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.stop());

const ask = (request: Parameters<typeof exchange>[1]) => exchange(origin.port, request);

/** Images that differ from each other in every pixel's neighbourhood. */
const image = (seed: number) => Uint8Array.from({ length: SIZE }, (_, i) => (i * (7 + seed) + seed * 31) % 256);
const batch = (...seeds: number[]) => ({
  name: "thumbnail",
  datatype: "UINT8" as const,
  shape: [seeds.length, 56, 56, 3],
  bytes: Uint8Array.from(seeds.flatMap((seed) => [...image(seed)])),
});

describe("every request of the table is answered with its status", () => {
  test.each(CONVERSATIONS.map((conversation) => [conversation.title, conversation] as const))(
    "%s",
    async (_, asked) => {
      const reply = await ask(asked);
      expect(reply.status, reply.body.toString("latin1").slice(0, 200)).toBe(asked.status);
      if (reply.status < 400) return;
      expect(reply.headers["content-type"]).toBe("application/json");
      expect(bodyOf(reply)).toEqual({ error: expect.any(String) });
    },
  );
});

describe("logits are those of onnxruntime on the same bytes", () => {
  test.each([
    ["JSON in and out", false, undefined],
    ["binary in and out", true, undefined],
    ["a batch", true, [1, 2, 3]],
    ["a batch in JSON", false, [4, 5]],
  ])("%s", async (_, binary, seeds = [1]) => {
    const tensor = batch(...seeds);
    const { headers, body } = encodeInferRequest([tensor], binary);
    const reply = await ask({ method: "POST", path: INFER, headers, body });
    const { model, version, outputs } = parseInferResponse(reply.body, headerLength(reply));
    expect({ model, version }).toEqual({ model: MODEL, version: "1" });
    const logits = tensorNamed(outputs, "logits");
    const expected = await reference(tensor.bytes, tensor.shape);
    expect(logits.shape).toEqual([seeds.length, expected.length / seeds.length]);
    for (const [i, value] of float32Values(logits).entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4);
  });
});

describe("answers come in the form that was asked for", () => {
  const post = (parameters: object, headers = {}, outputs?: object[]) => {
    const inputs = [{ name: "thumbnail", shape: [1, 56, 56, 3], datatype: "UINT8", data: [...image(1)] }];
    return ask({
      method: "POST",
      path: INFER,
      headers,
      body: Buffer.from(JSON.stringify({ inputs, parameters, outputs })),
    });
  };

  test.each([
    ["by default", {}, undefined, false],
    ["binary for the whole request", { binary_data_output: true }, undefined, true],
    ["binary for one output", {}, [{ name: "logits", parameters: { binary_data: true } }], true],
    [
      "an output's own wish wins",
      { binary_data_output: true },
      [{ name: "logits", parameters: { binary_data: false } }],
      false,
    ],
    ["a named output does not take the request's", { binary_data_output: true }, [{ name: "logits" }], false],
  ])("%s", async (_, parameters, outputs, binary) => {
    const reply = await post(parameters, {}, outputs);
    expect(reply.headers["content-type"]).toBe(binary ? "application/octet-stream" : "application/json");
    expect(headerLength(reply) !== undefined).toBe(binary);
    expect(Number(reply.headers["content-length"])).toBe(reply.body.length);
  });

  test("classification names the labels that lie beside the model", async () => {
    const reply = await post({}, {}, [{ name: "logits", parameters: { classification: 2 } }]);
    const labels = readFileSync(`${MODELS}/${MODEL}/labels.txt`, "utf8").trimEnd().split("\n");
    const [output] = classified.parse(bodyOf(reply)).outputs;
    expect(output).toMatchObject({ datatype: "BYTES", shape: [1, 2] });
    for (const text of output?.data ?? []) {
      const [value, index, label] = text.split(":");
      expect(label).toBe(labels[Number(index)]);
      expect(value).toMatch(/^-?\d+\.\d{6}$/);
    }
  });

  test.each<[string, (body: Buffer) => Buffer]>([
    ["gzip", gunzipSync],
    ["deflate", inflateSync],
  ])("%s where it saves something", async (coding, open) => {
    const headers = { "Accept-Encoding": coding };
    expect((await post({}, headers)).headers).not.toHaveProperty("content-encoding");
    const { headers: sent, body } = encodeInferRequest([batch(...Array(32).keys())], true);
    const plain = JSON.parse(Buffer.from(body.subarray(0, Number(sent[HEADER_LENGTH]))).toString());
    const request = Buffer.from(JSON.stringify({ inputs: plain.inputs }));
    const reply = await ask({
      method: "POST",
      path: INFER,
      headers: { ...headers, [HEADER_LENGTH]: String(request.length) },
      body: Buffer.concat([request, body.subarray(Number(sent[HEADER_LENGTH]))]),
    });
    expect(reply.headers["content-encoding"]).toBe(coding);
    expect(parseInferResponse(open(reply.body), undefined).outputs[0]?.shape[0]).toBe(32);
  });

  test("the id comes back", async () => {
    const inputs = [{ name: "thumbnail", shape: [1, 56, 56, 3], datatype: "UINT8", data: [...image(1)] }];
    const reply = await ask({ method: "POST", path: INFER, body: Buffer.from(JSON.stringify({ id: "é", inputs })) });
    expect(bodyOf(reply)).toMatchObject({ id: "é" });
  });
});

describe("what a request may make the server do is bounded before it does it", () => {
  const head = { name: "thumbnail", shape: [1, 56, 56, 3], datatype: "UINT8" };
  const input = (change: object = {}) => ({ ...head, data: [...image(1)], ...change });
  const named = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `${i}` }));
  const best = { name: "logits", parameters: { classification: 10 } };
  const zeros = Array(400_000).fill(0);
  /** In one sentence, without a word of the elements. */
  const tooMany = (list: string) => expect.stringMatching(new RegExp(`^${list}: Too big[^;]*$`));

  test.each<[string, { inputs: unknown; outputs?: unknown }, number, unknown]>([
    [
      "as many inputs as there may be",
      { inputs: named(MAX_TENSORS).map(input) },
      400,
      `unexpected inference input '0' for model '${MODEL}'`,
    ],
    ["one input more", { inputs: named(MAX_TENSORS + 1).map(input) }, 400, tooMany("inputs")],
    ["a body of wrong inputs", { inputs: zeros }, 400, tooMany("inputs")],
    [
      "as many outputs as there may be",
      { inputs: [input()], outputs: named(MAX_TENSORS) },
      400,
      `unexpected inference output '0' for model '${MODEL}'`,
    ],
    ["one output more", { inputs: [input()], outputs: named(MAX_TENSORS + 1) }, 400, tooMany("outputs")],
    ["a body of outputs", { inputs: [input()], outputs: Array(10_000).fill(best) }, 400, tooMany("outputs")],
    [
      "as many axes as there may be",
      { inputs: [input({ shape: Array(MAX_AXES).fill(1) })] },
      400,
      `unexpected shape for input 'thumbnail' for model '${MODEL}'. Expected [-1,56,56,3], got [${Array(MAX_AXES).fill(1)}]`,
    ],
    ["one axis more", { inputs: [input({ shape: Array(MAX_AXES + 1).fill(1) })] }, 400, tooMany("inputs.0.shape")],
    ["a body of wrong axes", { inputs: [input({ shape: zeros.map(() => -1) })] }, 400, tooMany("inputs.0.shape")],
    ["an output once", { inputs: [input()], outputs: [best] }, 200, undefined],
    [
      "an output twice",
      { inputs: [input()], outputs: [best, best] },
      400,
      `inference output 'logits' for model '${MODEL}' is requested more than once`,
    ],
    [
      "contents that the model does not take, which are not unpacked",
      { inputs: [input({ datatype: "BYTES", shape: [1, 2], data: ["", "", ""] })] },
      400,
      `inference input 'thumbnail' data-type is 'BYTES', but model '${MODEL}' expects 'UINT8'`,
    ],
  ])("%s", async (_, message, status, error) => {
    const reply = await ask({ method: "POST", path: INFER, body: Buffer.from(JSON.stringify(message)) });
    expect(reply.status).toBe(status);
    if (error !== undefined) expect(bodyOf(reply)).toEqual({ error });
  });
});

describe("the server describes itself", () => {
  test("its extensions", async () => {
    expect(bodyOf(await ask({ path: "/v2" }))).toMatchObject({
      name: "thumbnet-origin",
      extensions: ["classification", "binary_tensor_data", "parameters", "statistics"],
    });
  });

  test("a model's tensors, with a batch axis of any size", async () => {
    expect(bodyOf(await ask({ path: `/v2/models/${MODEL}` }))).toMatchObject({
      name: MODEL,
      versions: ["1"],
      inputs: [{ name: "thumbnail", datatype: "UINT8", shape: [-1, 56, 56, 3] }],
      outputs: [{ name: "logits", datatype: "FP32" }],
    });
  });

  test("statistics and metrics grow by what was asked", async () => {
    const counts = async () => {
      const { model_stats } = statistics.parse(bodyOf(await ask({ path: `/v2/models/${MODEL}/stats` })));
      return { rows: model_stats[0]?.inference_count ?? 0, failed: model_stats[0]?.inference_stats.fail.count ?? 0 };
    };
    const before = await counts();
    const { headers, body } = encodeInferRequest([batch(1, 2, 3)], true);
    await ask({ method: "POST", path: INFER, headers, body });
    await ask({ method: "POST", path: INFER, body: Buffer.from("{") });
    expect(await counts()).toEqual({ rows: before.rows + 3, failed: before.failed + 1 });
    const metrics = (await ask({ path: "/metrics" })).body.toString();
    expect(metrics).toContain(`nv_inference_count{model="${MODEL}",version="1"} ${before.rows + 3}`);
  });
});

const statistics = z.object({
  model_stats: z.array(
    z.object({ inference_count: z.int(), inference_stats: z.object({ fail: z.object({ count: z.int() }) }) }),
  ),
});

const classified = z.object({
  outputs: z.array(z.object({ datatype: z.string(), shape: z.array(z.int()), data: z.array(z.string()) })),
});

const headerLength = (reply: Reply) => {
  const value = reply.headers[HEADER_LENGTH.toLowerCase()];
  return Array.isArray(value) ? value[0] : value;
};

async function reference(bytes: Uint8Array, shape: readonly number[]): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(`${MODELS}/${MODEL}/1/model.onnx`, { intraOpNumThreads: 1 });
  const { logits } = await session.run({ thumbnail: new ort.Tensor("uint8", bytes, shape) });
  if (!(logits?.data instanceof Float32Array)) throw new Error("Expected float32 logits.");
  return logits.data;
}
