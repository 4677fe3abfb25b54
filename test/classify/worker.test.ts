/** `/classify` and `/batch` in workerd with real R2 and caches, the embedded origin beside it. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { MAX_BATCH_BYTES } from "../../src/classify/batch.ts";
import { calibrationFile } from "../../src/classify/calibration.ts";
import { softmax } from "../../src/classify/probabilities.ts";
import { decode } from "../../src/imaging/decode.ts";
import { encodeNpy } from "../../src/imaging/npy.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";

const CALIBRATION = calibrationFile.parse(JSON.parse(await readFile("models/calibration.json", "utf8")));
const PHOTOS = ["ambulance", "deck-chairs", "zebra"];
const photo = (name: string) => readFile(`test/fixtures/photos/${name}.jpg`);

let origin: RunningOrigin;
let worker: TestWorker;
beforeAll(async () => {
  origin = await startOrigin();
  worker = await startWorker({ ORIGINS: origin.url });
  await worker.env.ORIGINALS.put(
    "wide.png",
    await sharp("test/fixtures/photos/zebra.jpg").extend({ right: 100 }).png().toBuffer(),
  );
  for (const name of PHOTOS) await worker.env.ORIGINALS.put(`${name}.jpg`, await photo(name));
});
afterAll(async () => {
  await worker.close();
  await origin.stop();
});

const classification = z.strictObject({
  predictions: z.array(z.strictObject({ label: z.string(), index: z.int(), probability: z.number() })),
  model: z.strictObject({ name: z.string(), version: z.string(), sha256: z.string() }),
  thumbnail: z.strictObject({ size: z.int(), format: z.literal("npy"), bytes: z.int(), sha256: z.string() }),
  stages: z.array(z.strictObject({ model: z.string(), confidence: z.number() })).optional(),
});
const problem = z.object({ type: z.string(), status: z.int(), detail: z.string() });
const line = z.union([
  classification.extend({ index: z.int(), status: z.literal(200) }),
  problem.extend({ index: z.int(), title: z.string() }),
]);

async function classified(path: string, init?: RequestInit) {
  const response = await worker.fetch(path, init);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return classification.parse(JSON.parse(text));
}
const post = (path: string, body: Uint8Array) => classified(path, { method: "POST", body: new Uint8Array(body) });

async function bytesOf(path: string, init?: RequestInit): Promise<Uint8Array> {
  return new Uint8Array(await (await worker.fetch(path, init)).arrayBuffer());
}

/** Images that the origin has inferred, and requests that it took. */
async function work(model: string): Promise<{ images: number; requests: number }> {
  const statistics = z.object({
    model_stats: z.tuple([
      z.object({ inference_count: z.int(), inference_stats: z.object({ success: z.object({ count: z.int() }) }) }),
    ]),
  });
  const response = await fetch(`${origin.url}/v2/models/${model}/stats`);
  const [{ inference_count, inference_stats }] = statistics.parse(await response.json()).model_stats;
  return { images: inference_count, requests: inference_stats.success.count };
}

describe("a photo's classification is the student's on the very thumbnail that /thumbnail gives", () => {
  test.each([
    [56, "head=student"],
    [112, "head=student,size=112"],
  ])("%d pixels", async (size, options) => {
    const { predictions, model, thumbnail } = await classified(`/classify/${options}/r2:ambulance.jpg`);
    const npy = await bytesOf(`/thumbnail/size=${size},format=npy/r2:ambulance.jpg`);
    expect(thumbnail).toEqual({
      size,
      format: "npy",
      bytes: npy.length,
      sha256: createHash("sha256").update(npy).digest("hex"),
    });
    expect(model.name).toBe(`student-${size}`);

    const session = await ort.InferenceSession.create(`models/${model.name}/1/model.onnx`);
    const pixels = npy.slice(-size * size * 3);
    const { logits } = await session.run({ thumbnail: new ort.Tensor("uint8", pixels, [1, size, size, 3]) });
    if (!(logits?.data instanceof Float32Array)) throw new Error("Expected float32 logits.");
    const fitted = CALIBRATION.models[model.name];
    const expected = softmax(logits.data, fitted?.sha256 === model.sha256 ? fitted.temperature : 1);
    const labels = (await readFile(`models/${model.name}/labels.txt`, "utf8")).trimEnd().split("\n");
    expect(predictions).toHaveLength(5);
    for (const { label, index, probability } of predictions) {
      expect(label).toBe(labels[index]);
      expect(probability).toBeCloseTo(expected[index] ?? Number.NaN, 4);
    }
    expect(predictions.map(({ probability }) => probability)).toEqual(
      predictions.map(({ probability }) => probability).sort((a, b) => b - a),
    );
  });

  test.each([
    ["head=student", "student-56"],
    ["head=student-low-stride", "student-56-low-stride"],
    ["head=student-thousand", "student-56-thousand"],
    ["head=student-full", "student-56-full"],
    ["head=restored", "restored-56"],
    ["head=student,size=112", "student-112"],
    ["head=student-full,size=112", "student-112-full"],
    ["head=restored,size=112", "restored-112"],
  ])("%s asks %s, each about the same thumbnail", async (options, name) => {
    const found = await classified(`/classify/${options},top=10/r2:ambulance.jpg`);
    expect(found.model.name).toBe(name);
    const npy = await bytesOf(`/thumbnail/size=${found.thumbnail.size},format=npy/r2:ambulance.jpg`);
    expect(found.thumbnail.sha256).toBe(createHash("sha256").update(npy).digest("hex"));
    expect(found.predictions).toHaveLength(10);
  });

  test("a head that no model of this size has is refused, with its name", async () => {
    const response = await worker.fetch("/classify/head=student-low-stride,size=112/r2:ambulance.jpg");
    expect(response.status).toBe(400);
    expect(problem.parse(await response.json()).detail).toBe(
      "head: There is no student-low-stride for thumbnails of 112 pixels.",
    );
  });

  test.each([
    ["_", "restored-56"],
    ["head=auto", "restored-56"],
    ["size=112", "restored-112"],
    ["adaptive=0", "restored-56"],
  ])("%s leaves the head to the service: %s", async (options, name) => {
    expect((await classified(`/classify/${options}/r2:zebra.jpg`)).model.name).toBe(name);
  });

  test.each([
    [56, "ambulance"],
    [56, "zebra"],
    [112, "ambulance"],
    [112, "zebra"],
  ])("%d pixels are enough to see an %s, of a thousand classes", async (size, label) => {
    const { predictions } = await classified(`/classify/size=${size},top=100/r2:${label}.jpg`);
    expect(predictions).toHaveLength(100);
    expect(predictions[0]?.label).toBe(label);
  });

  test("a cascade may begin with any head, and goes on with what knows its classes", async () => {
    const { stages } = await classified("/classify/head=student-low-stride,adaptive=1,teacher=yes/r2:zebra.jpg");
    expect(stages?.map(({ model }) => model)).toEqual(["student-56-low-stride", "student-112", "teacher-224"]);
  });

  test.each([
    ["top=1", 1],
    ["head=student,top=10", 10],
    ["head=student,top=100", 10],
  ])("%s gives %d predictions", async (options, count) => {
    expect((await classified(`/classify/${options}/r2:zebra.jpg`)).predictions).toHaveLength(count);
  });

  test("fit changes the thumbnail", async () => {
    const [fill, cover] = [
      await classified("/classify/fit=fill/r2:wide.png"),
      await classified("/classify/fit=cover/r2:wide.png"),
    ];
    expect(fill.thumbnail.sha256).not.toBe(cover.thumbnail.sha256);
  });
});

describe("what was classified is not classified again", () => {
  test("the second answer costs no inference, and a client that has it gets 304", async () => {
    const path = "/classify/head=student,top=3/r2:deck-chairs.jpg";
    const first = await worker.fetch(path);
    const body = await first.text();
    const before = await work("student-56");
    const second = await worker.fetch(path);
    expect(await second.text()).toBe(body);
    const etag = first.headers.get("etag") ?? "";
    expect(second.headers.get("etag")).toBe(etag);
    const conditional = await worker.fetch(path, { headers: { "If-None-Match": etag } });
    expect([conditional.status, await conditional.text()]).toEqual([304, ""]);
    expect(await work("student-56")).toEqual(before);
  });

  test("other options of the same thumbnail use the same logits, and have an ETag of their own", async () => {
    const first = await worker.fetch("/classify/head=student,top=3/r2:deck-chairs.jpg");
    const before = await work("student-56");
    const other = await worker.fetch("/classify/head=student,top=2/r2:deck-chairs.jpg", {
      headers: { "If-None-Match": first.headers.get("etag") ?? "" },
    });
    expect(other.status).toBe(200);
    expect(await work("student-56")).toEqual(before);
    await other.text();
    await first.text();
  });

  test("the same photo by POST is the same thumbnail", async () => {
    const byGet = await classified("/classify/head=student/r2:zebra.jpg");
    const before = await work("student-56");
    expect(await post("/classify/head=student", await photo("zebra"))).toEqual(byGet);
    expect(await work("student-56")).toEqual(before);
  });
});

describe("what is kept ages", () => {
  const second = () => new Promise((resolve) => setTimeout(resolve, 1100));

  test("an answer is as old as its thumbnail, so that no cache keeps it longer", async () => {
    const ask = () => worker.fetch("/classify/head=student,fit=cover/r2:deck-chairs.jpg");
    expect((await ask()).headers.get("age")).toBeNull();
    await second();
    const later = await ask();
    expect(Number(later.headers.get("age"))).toBeGreaterThanOrEqual(1);
    const etag = later.headers.get("etag") ?? "";
    const unchanged = await worker.fetch("/classify/head=student,fit=cover/r2:deck-chairs.jpg", {
      headers: { "if-none-match": etag },
    });
    expect([unchanged.status, Number(unchanged.headers.get("age"))]).toEqual([
      304,
      expect.toSatisfy((age) => age >= 1),
    ]);
  });

  test("logits do not: their thumbnail is looked at again when it is stale, and its inference still costs nothing", async () => {
    const impatient = await startWorker({ ORIGINS: origin.url, CACHE_MAX_AGE: "1" });
    await impatient.env.ORIGINALS.put("zebra.jpg", await photo("zebra"));
    const ask = async () => (await impatient.fetch("/classify/head=student/r2:zebra.jpg")).json();
    const first = await ask();
    const before = await work("student-56");
    await second();
    await second();
    expect(await ask()).toEqual(first);
    expect(await work("student-56")).toEqual(before);
    await impatient.close();
  });
});

describe("a ready thumbnail skips the downscaler", () => {
  test.each([
    [56, "npy"],
    [56, "png"],
    [112, "npy"],
    [112, "png"],
  ])("%d pixels as %s", async (size, format) => {
    const ready = await bytesOf(`/thumbnail/size=${size},format=${format}/r2:zebra.jpg`);
    expect(await post(`/classify/size=${size}`, ready)).toEqual(
      await classified(`/classify/size=${size}/r2:zebra.jpg`),
    );
  });

  test.each(["webp", "avif"])("also as a lossy %s, whose pixels are then what is classified", async (format) => {
    const file = Buffer.from(await bytesOf(`/thumbnail/size=56,format=${format}/r2:zebra.jpg`));
    const pixels = encodeNpy({ width: 56, height: 56, data: await sharp(file).removeAlpha().raw().toBuffer() });
    const { thumbnail } = await post("/classify/size=56", file);
    expect(thumbnail.sha256).toBe(createHash("sha256").update(pixels).digest("hex"));
  });

  test("a PNG of another size is a photo like any other", async () => {
    const ready = await bytesOf("/thumbnail/size=112,format=png/r2:zebra.jpg");
    const { thumbnail } = await post("/classify/size=56", ready);
    expect(thumbnail.size).toBe(56);
    expect(thumbnail.sha256).not.toBe((await classified("/classify/_/r2:zebra.jpg")).thumbnail.sha256);
  });

  test("adaptive does not go beyond what the thumbnail can show", async () => {
    const ready = await bytesOf("/thumbnail/size=56,format=npy/r2:zebra.jpg");
    expect((await post("/classify/adaptive=1.0", ready)).stages?.map(({ model }) => model)).toEqual(["restored-56"]);
  });

  test("an npy file of another size cannot be a photo", async () => {
    const ready = await bytesOf("/thumbnail/size=112,format=npy/r2:zebra.jpg");
    const response = await worker.fetch("/classify/size=56", { method: "POST", body: new Uint8Array(ready) });
    expect(problem.parse(await response.json())).toMatchObject({
      type: "/problems/invalid-request",
      detail: "Expected an npy file of shape (56, 56, 3), but got (112, 112, 3).",
    });
  });
});

describe("adaptive asks as many students as it takes", () => {
  test.each([
    ["adaptive=0", ["restored-56"]],
    ["adaptive=1", ["restored-56", "restored-112"]],
    ["size=112,adaptive=1", ["restored-112"]],
    ["adaptive=1,teacher=no", ["restored-56", "restored-112"]],
    ["adaptive=1,teacher=yes", ["restored-56", "restored-112", "teacher-224"]],
    ["adaptive=0,teacher=yes", ["restored-56"]],
    ["head=student,adaptive=1", ["student-56", "student-112"]],
    ["head=student,adaptive=1,teacher=yes", ["student-56", "student-112", "teacher-224"]],
  ])("%s", async (options, models) => {
    const { stages, model, thumbnail, predictions } = await classified(`/classify/${options}/r2:zebra.jpg`);
    expect(stages?.map((stage) => stage.model)).toEqual(models);
    expect(model.name).toBe(models.at(-1));
    expect(model.name.endsWith(`-${thumbnail.size}`)).toBe(true);
    expect(predictions[0]?.probability).toBeCloseTo(stages?.at(-1)?.confidence ?? Number.NaN, 9);
  });

  test("the teacher sees the whole photo, as the model reads it", async () => {
    const { predictions } = await classified("/classify/head=student,adaptive=1,teacher=yes/r2:ambulance.jpg");
    const { data } = await decode(await photo("ambulance"), { size: 224, filter: "bicubic", fit: "fill" }, loadCodec);
    const session = await ort.InferenceSession.create("models/teacher-224/1/model.onnx");
    const { logits } = await session.run({ image: new ort.Tensor("uint8", data, [1, 224, 224, 3]) });
    if (!(logits?.data instanceof Float32Array)) throw new Error("Expected float32 logits.");
    const all = (await readFile("models/teacher-224/labels.txt", "utf8")).trimEnd().split("\n");
    const ten = (await readFile("models/student-56/labels.txt", "utf8")).trimEnd().split("\n");
    const scores = ten.map((label) => Number(logits.data[all.indexOf(label)]));
    expect(predictions[0]?.label).toBe(ten[scores.indexOf(Math.max(...scores))]);
  });

  test("without it nothing is said of stages", async () => {
    expect(await classified("/classify/_/r2:zebra.jpg")).not.toHaveProperty("stages");
  });
});

test.each([
  ["size=64", "size"],
  ["top=0", "top"],
  ["top=101", "top"],
  ["top=x", "top"],
  ["adaptive=1.1", "adaptive"],
  ["adaptive=-1", "adaptive"],
  ["adaptive=often", "adaptive"],
  ["format=png", "format"],
  ["teacher=yes", "teacher"],
  ["adaptive=1,teacher=maybe", "teacher"],
  ["nothing", "nothing"],
])("the option %s is refused by its name", async (options, name) => {
  for (const [path, init] of [
    [`/classify/${options}/r2:zebra.jpg`, {}],
    [`/classify/${options}`, { method: "POST", body: "x" }],
  ] as const) {
    const response = await worker.fetch(path, init);
    const { type, detail } = problem.parse(await response.json());
    expect([response.status, type]).toEqual([400, "/problems/invalid-options"]);
    expect(detail).toContain(name);
  }
});

describe("a batch", () => {
  const batch = async (items: object[], init: RequestInit = {}) => {
    const response = await worker.fetch("/batch", { method: "POST", body: JSON.stringify({ items }), ...init });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const text = await response.text();
    return text
      .trimEnd()
      .split("\n")
      .map((entry) => line.parse(JSON.parse(entry)));
  };

  test("answers every item once, with its index, in few requests to the origin", async () => {
    const items = PHOTOS.flatMap((name) =>
      ["top=1", "size=112,top=1", "top=1,fit=cover", "size=112,top=1,fit=cover"].map((options) => ({
        source: `r2:${name}-batch.jpg`,
        options: `head=student,${options}`,
      })),
    );
    for (const name of PHOTOS) {
      // The same picture under another name and with other bytes: nothing of it is in a cache.
      await worker.env.ORIGINALS.put(`${name}-batch.jpg`, Buffer.concat([await photo(name), Buffer.from("\0")]));
    }
    const before = { 56: await work("student-56"), 112: await work("student-112") };
    const lines = await batch(items);
    expect(lines.map(({ index }) => index).sort((a, b) => a - b)).toEqual([...items.keys()]);
    for (const answered of lines) {
      expect(answered.status).toBe(200);
      if (!("predictions" in answered)) continue;
      const { source = "", options = "" } = items[answered.index] ?? {};
      const { index: _, status: __, ...alone } = answered;
      expect(alone).toEqual(await classified(`/classify/${options}/${source}`));
    }
    const after = { 56: await work("student-56"), 112: await work("student-112") };
    expect(after[56].requests - before[56].requests).toBeLessThanOrEqual(2);
    expect(after[112].requests - before[112].requests).toBeLessThanOrEqual(2);
  });

  test("one bad item spoils nothing", async () => {
    const lines = await batch([
      { source: "r2:zebra.jpg" },
      { source: "r2:absent.jpg" },
      { source: "r2:zebra.jpg", options: "top=x" },
      { source: "ftp://example.com/a.jpg" },
      { source: "http://127.0.0.1/a.jpg" },
      { source: "r2:zebra.jpg", options: "adaptive=1" },
    ]);
    const byIndex = lines
      .sort((a, b) => a.index - b.index)
      .map((entry) => ("type" in entry ? entry.type : entry.model.name));
    expect(byIndex).toEqual([
      "restored-56",
      "/problems/source-not-found",
      "/problems/invalid-options",
      "/problems/invalid-source",
      "/problems/source-not-allowed",
      "restored-112",
    ]);
  });

  test.each<[string, string, RegExp]>([
    ["no JSON", "{", /Expected JSON like/],
    ["nothing", "[]", /body/],
    ["no items", '{"items": []}', /items/],
    ["an item without a source", '{"items": [{"options": "top=1"}]}', /items\.0\.source/],
    ["a member that does not exist", '{"items": [{"source": "r2:a", "size": 56}]}', /items\.0.*size/],
    ["101 items", JSON.stringify({ items: Array(101).fill({ source: "r2:a" }) }), /items/],
  ])("%s is refused as a whole", async (_, body, detail) => {
    const response = await worker.fetch("/batch", { method: "POST", body });
    const answered = problem.parse(await response.json());
    expect(response.status).toBe(400);
    expect(answered.detail).toMatch(detail);
  });

  test("a body over the limit is refused unread, as what it is", async () => {
    const response = await worker.fetch("/batch", { method: "POST", body: " ".repeat(MAX_BATCH_BYTES + 1) });
    const { type, detail } = problem.parse(await response.json());
    expect([response.status, type]).toEqual([413, "/problems/body-too-large"]);
    expect(detail).toMatch(/^Expected a body of at most 409600 bytes/);
  });

  test("100 items are not too many", async () => {
    expect(await batch(Array(100).fill({ source: "r2:zebra.jpg", options: "top=1" }))).toHaveLength(100);
  });

  test("other methods are refused with what is allowed", async () => {
    const response = await worker.fetch("/batch");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
    await response.text();
  });
});
