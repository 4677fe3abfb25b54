import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CLASSIFIER_DEFAULTS, type ClassifierConfig, createClassifier } from "../../src/classify/classifier.ts";
import { parseCard } from "../../src/downscaler/card.ts";
import { HEADER_LENGTH } from "../../src/oip/framing.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { STUDENT_CARD, TINY_CARD } from "./cards.ts";
import { type Answer, type FaultyOrigin, faultyOrigin, metadataAnd, sendJson, TINY_METADATA } from "./faulty-origin.ts";

const TINY_IMAGE = Uint8Array.of(...Array(12).keys());
const QUICK = { ...CLASSIFIER_DEFAULTS, timeoutMs: 1000, backoffMs: 5 };

const open: FaultyOrigin[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((origin) => origin.close()));
});
async function origin(answer: Answer): Promise<FaultyOrigin> {
  const started = await faultyOrigin(answer);
  open.push(started);
  return started;
}

function classifier(
  origins: readonly { url: string; authorization?: string }[],
  change: Partial<ClassifierConfig> = {},
) {
  const pauses: number[] = [];
  const world = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    now: () => performance.now(),
    random: () => 0.5,
    sleep: async (ms: number) => {
      pauses.push(ms);
      await pause(ms);
    },
  };
  return { ...createClassifier({ ...QUICK, origins, ...change }, world), pauses };
}

const logitsOf = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const infers = ({ asked }: FaultyOrigin) => asked.filter((path) => path.endsWith("/infer")).length;

/** The right answer to one image, in binary. */
const good: Answer = (_, response) => {
  const header = JSON.stringify({
    model_name: "tiny",
    outputs: [{ name: "logits", datatype: "FP32", shape: [1, 2], parameters: { binary_data_size: 8 } }],
  });
  response
    .writeHead(200, { "Content-Type": "application/octet-stream", [HEADER_LENGTH]: String(header.length) })
    .end(Buffer.concat([Buffer.from(header), logitsOf([1, -1])]));
};
const GOOD_JSON = { model_name: "tiny", outputs: [{ name: "logits", datatype: "FP32", shape: [1, 2], data: [1, -1] }] };
const goodJson: Answer = (_, response) => sendJson(response, 200, GOOD_JSON);

describe("with the embedded origin", () => {
  let embedded: RunningOrigin;
  beforeAll(async () => {
    embedded = await startOrigin();
  });
  afterAll(() => embedded.stop());

  const images = Array.from({ length: 150 }, (_, seed) =>
    Uint8Array.from({ length: 56 * 56 * 3 }, (_, i) => (i * (seed + 7)) % 256),
  );

  test("a batch larger than one request comes back in order, in as few requests as can be", async () => {
    const { classify } = classifier([embedded], { timeoutMs: 20_000 });
    const { logits, requests } = await classify(images, STUDENT_CARD);
    expect(requests).toBe(3);
    expect(logits).toHaveLength(150);
    for (const i of [0, 63, 64, 149]) {
      const [alone] = (await classify(images.slice(i, i + 1), STUDENT_CARD)).logits;
      expect(alone).toHaveLength(10);
      for (const [j, value] of (alone ?? []).entries()) expect(value).toBeCloseTo(logits[i]?.[j] ?? Number.NaN, 3);
    }
  });

  test("no images need no request", async () => {
    expect(await classifier([embedded]).classify([], STUDENT_CARD)).toMatchObject({ logits: [], requests: 0 });
  });

  test("a card of another shape than the served model is a clear fault", async () => {
    const card = parseCard({ ...STUDENT_CARD, output: { ...STUDENT_CARD.output, shape: [-1, 1000] } }, "test");
    await expect(classifier([embedded]).classify(images.slice(0, 1), card)).rejects.toMatchObject({
      code: "origin-failed",
      message: "The inference origin's model is not the one its card describes.",
      cause: expect.objectContaining({ message: expect.stringContaining("output logits FP32 [-1,10]") }),
    });
  });
});

describe("it speaks what the origin speaks", () => {
  test.each([
    ["binary, where it is listed", ["classification", "binary_tensor_data"], true],
    ["JSON, where nothing is", [], false],
  ])("%s", async (_, extensions, binary) => {
    let sent: { header: string | undefined; body: Buffer } | undefined;
    const server = await origin(
      metadataAnd((request, response, body) => {
        sent = { header: request.headers[HEADER_LENGTH.toLowerCase()]?.toString(), body };
        return (binary ? good : goodJson)(request, response, body);
      }, extensions),
    );
    const { logits } = await classifier([server]).classify([TINY_IMAGE], TINY_CARD);
    expect(logits).toEqual([Float32Array.of(1, -1)]);
    expect(sent?.header !== undefined).toBe(binary);
    const message = JSON.parse(sent?.body.subarray(0, Number(sent.header ?? sent.body.length)).toString() ?? "");
    expect(message.inputs[0]).toMatchObject({ name: "thumbnail", datatype: "UINT8", shape: [1, 2, 2, 3] });
    expect(message.inputs[0].data).toEqual(binary ? undefined : [...TINY_IMAGE]);
  });

  test("chunked answers without a length", async () => {
    const server = await origin(
      metadataAnd((_, response) => {
        for (const byte of Buffer.from(JSON.stringify(GOOD_JSON))) response.write(Buffer.of(byte));
        response.end();
      }),
    );
    expect((await classifier([server]).classify([TINY_IMAGE], TINY_CARD)).logits).toEqual([Float32Array.of(1, -1)]);
  });

  test("metadata is asked for once, and again when its time is over", async () => {
    const server = await origin(metadataAnd(good));
    const { classify } = classifier([server], { metadataTtlMs: 200 });
    for (let i = 0; i < 3; i++) await classify([TINY_IMAGE], TINY_CARD);
    expect(server.asked.filter((path) => path === "/v2")).toHaveLength(1);
    await pause(220);
    await classify([TINY_IMAGE], TINY_CARD);
    expect(server.asked.filter((path) => path === "/v2")).toHaveLength(2);
  });

  test("every request carries the authorization, and a redirect does not take it elsewhere", async () => {
    const elsewhere = await origin(good);
    const seen: (string | undefined)[] = [];
    const server = await origin((request, response, body) => {
      seen.push(request.headers.authorization);
      return metadataAnd((_, moved) => void moved.writeHead(307, { Location: `${elsewhere.url}/x` }).end())(
        request,
        response,
        body,
      );
    });
    const { classify } = classifier([{ url: `${server.url}/`, authorization: "Bearer secret" }]);
    await expect(classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({ code: "origin-failed" });
    expect(seen).toEqual(["Bearer secret", "Bearer secret", "Bearer secret"]);
    expect(elsewhere.asked).toEqual([]);
  });
});

describe("an answer that is not one is the origin's fault, never a label", () => {
  const json =
    (message: unknown): Answer =>
    (_, response) =>
      sendJson(response, 200, message);
  const output = (change: object) =>
    json({
      model_name: "tiny",
      outputs: [{ name: "logits", datatype: "FP32", shape: [1, 2], data: [1, 2], ...change }],
    });
  test.each<[string, Answer]>([
    ["HTML", (_, response) => void response.writeHead(200, { "Content-Type": "text/html" }).end("<html>")],
    ["nothing", (_, response) => void response.writeHead(200).end()],
    ["204", (_, response) => void response.writeHead(204).end()],
    ["no outputs", json({ model_name: "tiny" })],
    ["another output", output({ name: "scores" })],
    ["another shape", output({ shape: [2, 1] })],
    ["another datatype", output({ datatype: "INT32" })],
    ["one logit too few", output({ data: [1] })],
    ["logits that are null", output({ data: [null, 1] })],
    [
      "a header length past the end",
      (_, response) => void response.writeHead(200, { [HEADER_LENGTH]: "9999" }).end("{}"),
    ],
    [
      "NaN in binary",
      (_, response) => {
        const header = JSON.stringify({
          model_name: "t",
          outputs: [{ name: "logits", datatype: "FP32", shape: [1, 2], parameters: { binary_data_size: 8 } }],
        });
        response
          .writeHead(200, { [HEADER_LENGTH]: String(header.length) })
          .end(Buffer.concat([Buffer.from(header), logitsOf([Number.NaN, 1])]));
      },
    ],
    ["an answer without end", (_, response) => void response.writeHead(200).end("x".repeat(1_000_000))],
    ["400", (_, response) => sendJson(response, 400, { error: "no" })],
    ["500 in plain text", (_, response) => sendJson(response, 500, { error: "secret path" }, "text/plain")],
    ["401", (_, response) => void response.writeHead(401).end()],
  ])("%s", async (_, answer) => {
    const server = await origin(metadataAnd(answer));
    const rejected = classifier([server]).classify([TINY_IMAGE], TINY_CARD);
    await expect(rejected).rejects.toMatchObject({ code: "origin-failed" });
    await expect(rejected).rejects.not.toThrow(/secret|127\.0\.0\.1/);
    expect(infers(server)).toBe(1);
  });

  test.each<[string, object]>([
    ["another input's name", { inputs: [{ name: "image", datatype: "UINT8", shape: [-1, 2, 2, 3] }] }],
    ["another input's datatype", { inputs: [{ name: "thumbnail", datatype: "FP32", shape: [-1, 2, 2, 3] }] }],
    ["another input's size", { inputs: [{ name: "thumbnail", datatype: "UINT8", shape: [-1, 4, 4, 3] }] }],
    ["another layout", { inputs: [{ name: "thumbnail", datatype: "UINT8", shape: [-1, 3, 2, 2] }] }],
    ["a fixed batch", { inputs: [{ name: "thumbnail", datatype: "UINT8", shape: [1, 2, 2, 3] }] }],
    ["two inputs", { inputs: [...TINY_METADATA.inputs, { name: "more", datatype: "FP32", shape: [1] }] }],
    ["other classes", { outputs: [{ name: "logits", datatype: "FP32", shape: [-1, 3] }] }],
    ["another model", { name: "other" }],
  ])("a model with %s is not asked at all", async (_, change) => {
    const server = await origin(metadataAnd(good, [], change));
    await expect(classifier([server]).classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({
      code: "origin-failed",
    });
    expect(infers(server)).toBe(0);
  });

  test("a model whose axes are left open is taken, as the answer's shape is checked", async () => {
    const inputs = [{ name: "thumbnail", datatype: "UINT8", shape: [-1, -1, -1, 3] }];
    const server = await origin(metadataAnd(good, ["binary_tensor_data"], { inputs }));
    expect((await classifier([server]).classify([TINY_IMAGE], TINY_CARD)).logits).toHaveLength(1);
  });
});

describe("busy, slow and unreachable origins", () => {
  const busy: Answer = (_, response) => sendJson(response, 503, { error: "Exceeds maximum queue size" }, "text/plain");

  test("503 is tried again after a pause that grows and is drawn at random, then reported", async () => {
    const server = await origin(metadataAnd(busy));
    const { classify, pauses } = classifier([server], { retries: 2 });
    await expect(classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({ code: "origin-overloaded" });
    expect(infers(server)).toBe(3);
    expect(pauses).toEqual([2.5, 5]);
  });

  test.each<[string, Answer]>([
    ["a page of its own that is larger than any answer", (_, response) => void response.end("<p>".repeat(50_000))],
    ["a page that never ends", (_, response) => void response.write("<p>")],
  ])("503 is 503 with %s", async (_, page) => {
    const server = await origin(metadataAnd((request, response, body) => page(request, response.writeHead(503), body)));
    const { classify } = classifier([server], { timeoutMs: 500, breaker: { failures: 1, coolDownMs: 10_000 } });
    for (let i = 0; i < 2; i++) {
      await expect(classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({
        code: "origin-overloaded",
        message: "The inference origin is busy.",
      });
    }
  });

  test("an origin that recovers in between answers", async () => {
    let asked = 0;
    const server = await origin(metadataAnd((...all) => (++asked < 3 ? busy : good)(...all)));
    expect((await classifier([server]).classify([TINY_IMAGE], TINY_CARD)).logits).toHaveLength(1);
  });

  test("what is neither busy nor unreachable is not tried again", async () => {
    const server = await origin(metadataAnd((_, response) => sendJson(response, 500, { error: "x" })));
    const { classify, pauses } = classifier([server]);
    await expect(classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({ code: "origin-failed" });
    expect(pauses).toEqual([]);
  });

  test.each<[string, Answer]>([
    ["no answer", () => {}],
    [
      "an answer that stops in the middle",
      (_, response) => void response.writeHead(200, { "Content-Length": "100" }).write("half"),
    ],
  ])("%s within the time is a timeout, and not much later", async (_, answer) => {
    const server = await origin(metadataAnd(answer));
    const start = performance.now();
    await expect(classifier([server], { timeoutMs: 300 }).classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({
      code: "origin-timeout",
    });
    expect(performance.now() - start).toBeLessThan(900);
    expect(infers(server)).toBe(1);
  });

  test("a server that closes the connection, and one that is not there", async () => {
    const closing = await origin(metadataAnd((request) => void request.socket.destroy()));
    await expect(classifier([closing]).classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({
      code: "origin-failed",
    });
    expect(infers(closing)).toBe(3);
    const gone = await faultyOrigin(good);
    await gone.close();
    await expect(classifier([gone]).classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({
      code: "origin-failed",
      message: "The inference origin cannot be reached.",
    });
  });

  test("the breaker leaves a dead origin alone and comes back by itself", async () => {
    let dead = true;
    const server = await origin(
      metadataAnd((request, response, body) => (dead ? void request.socket.destroy() : good(request, response, body))),
    );
    const { classify } = classifier([server], { retries: 0, breaker: { failures: 2, coolDownMs: 200 } });
    for (let i = 0; i < 2; i++)
      await expect(classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({ code: "origin-failed" });
    await expect(classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({ code: "origin-overloaded" });
    expect(infers(server)).toBe(2);
    dead = false;
    await pause(220);
    expect((await classify([TINY_IMAGE], TINY_CARD)).logits).toHaveLength(1);
    expect((await classify([TINY_IMAGE], TINY_CARD)).logits).toHaveLength(1);
  });

  test("without any origin the fault is ours", async () => {
    await expect(classifier([]).classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({ code: "origin-missing" });
  });
});

describe("several origins", () => {
  test.each<[string, Answer]>([
    ["broken", metadataAnd((_, response) => sendJson(response, 500, {}))],
    ["busy", metadataAnd((_, response) => sendJson(response, 503, {}))],
    ["silent", metadataAnd(() => {})],
    ["gone", (request) => void request.socket.destroy()],
    ["serving another model", metadataAnd(good, [], { outputs: [] })],
  ])("the next one answers where the first is %s", async (_, answer) => {
    const [first, second] = [await origin(answer), await origin(metadataAnd(good))];
    expect((await classifier([first, second]).classify([TINY_IMAGE], TINY_CARD)).logits).toEqual([
      Float32Array.of(1, -1),
    ]);
    expect(infers(second)).toBe(1);
  });

  test("the first is preferred while it is well", async () => {
    const [first, second] = [await origin(metadataAnd(good)), await origin(metadataAnd(good))];
    const { classify } = classifier([first, second]);
    for (let i = 0; i < 3; i++) await classify([TINY_IMAGE], TINY_CARD);
    expect([infers(first), infers(second)]).toEqual([3, 0]);
  });

  test("when all fail, the fault that will not pass is the one reported", async () => {
    const [busy, broken] = [
      await origin(metadataAnd((_, response) => sendJson(response, 503, {}))),
      await origin(metadataAnd((_, response) => sendJson(response, 500, {}))),
    ];
    await expect(classifier([busy, broken]).classify([TINY_IMAGE], TINY_CARD)).rejects.toMatchObject({
      code: "origin-failed",
    });
  });
});
