/** The client against the Worker, with the embedded origin behind it. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, ProblemError, signPath, type ThumbnetClient } from "../../src/client/index.ts";
import { PROBLEMS } from "../../src/errors.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";

const CHURCH = new Uint8Array(readFileSync("examples/photos/church.jpg"));
const KEY = { id: "web-1", secret: "correct horse battery staple, and 32 bytes" };

let origin: RunningOrigin;
let worker: TestWorker;
let thumbnet: ThumbnetClient;
beforeAll(async () => {
  origin = await startOrigin();
  worker = await startWorker(
    { ORIGINS: `http://127.0.0.1:${origin.port}`, ALLOW_UNSIGNED: "false" },
    { SIGNING_KEYS: JSON.stringify({ [KEY.id]: KEY.secret }) },
  );
  await worker.env.ORIGINALS.put("photos/church ä.jpg", CHURCH);
  thumbnet = createClient(worker.url, { key: KEY, expiresIn: 60 });
});
afterAll(async () => {
  await worker?.close();
  await origin?.stop();
});

const CHURCH_IN_R2 = { r2: "photos/church ä.jpg" };

test("a thumbnail by its source and of an upload are the same bytes", async () => {
  const fetched = await thumbnet.thumbnail(CHURCH_IN_R2, { format: "npy" });
  expect(fetched).toMatchObject({ contentType: "application/x-npy", etag: expect.stringMatching(/^"[0-9a-f]{32}"$/) });
  for (const upload of [CHURCH, CHURCH.buffer, new Blob([CHURCH], { type: "image/jpeg" })]) {
    expect((await thumbnet.thumbnail(upload, { format: "npy" })).bytes).toEqual(fetched.bytes);
  }
});

test("a thumbnail's URL is signed and served to anyone", async () => {
  const url = await thumbnet.thumbnailUrl(CHURCH_IN_R2, { size: 112, format: "webp" });
  expect(new URL(url).pathname).toMatch(/^\/thumbnail\/format=webp,size=112,exp=\d+,sig=web-1\.[\w-]{43}\/r2:photos\//);
  const response = await fetch(url);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/webp"]);
});

test("a source and an upload are classified alike, and a ready thumbnail as well", async () => {
  const classification = await thumbnet.classify(CHURCH_IN_R2, { top: 2 });
  expect(classification.predictions).toHaveLength(2);
  expect(classification.model.name).toBe("restored-56");
  expect(await thumbnet.classify(CHURCH, { top: 2 })).toEqual(classification);
  const thumbnail = await thumbnet.thumbnail(CHURCH);
  expect(await thumbnet.classify(thumbnail.bytes, { top: 2 })).toEqual(classification);
});

test("a page without a key uploads to a path that its backend signed (docs/browser.md)", async () => {
  const path = await signPath("/classify/top=3", KEY, new Date(Date.now() + 60_000));
  const inPage = createClient(worker.url, {
    fetch: async (request) => fetch(new URL(path, worker.url), { method: "POST", body: await request.blob() }),
  });
  expect((await inPage.classify(CHURCH, { top: 3 })).predictions).toHaveLength(3);
  await expect(createClient(worker.url).classify(CHURCH)).rejects.toMatchObject({ code: "invalid-signature" });
});

test("a batch gives each source its own answer, whatever becomes of the others", async () => {
  const sources = [CHURCH_IN_R2, { r2: "missing.jpg" }, ...Array.from({ length: 100 }, () => CHURCH_IN_R2)];
  const answers = await Array.fromAsync(thumbnet.batch(sources, { top: 1 }));
  expect(answers.map(({ index }) => index).sort((a, b) => a - b)).toEqual(sources.map((_, index) => index));
  for (const answer of answers) {
    expect(answer.source).toBe(sources[answer.index]);
    if (answer.ok) expect(answer.classification.predictions).toHaveLength(1);
    else expect([answer.index, answer.problem.code]).toEqual([1, "source-not-found"]);
  }
  expect(answers.filter(({ ok }) => !ok)).toHaveLength(1);
});

test("what is no source is refused in its own answer, and not with the batch", async () => {
  const sources = ["photo.jpg", CHURCH_IN_R2, { r2: "" }, { r2: "\ud83d.jpg" }];
  const answers = await Array.fromAsync(thumbnet.batch(sources, { top: 1 }));
  expect(answers.map(({ index, source }) => [index, source])).toEqual(
    [0, 2, 3, 1].map((index) => [index, sources[index]]),
  );
  expect(answers.map((answer) => (answer.ok ? "classified" : answer.problem.code))).toEqual([
    "invalid-source",
    "invalid-source",
    "invalid-source",
    "classified",
  ]);
  const [first] = answers;
  expect(first && !first.ok && first.problem).toMatchObject({
    message: expect.stringMatching(/^The source is not valid: Expected .* but got "photo\.jpg"\.$/),
    status: PROBLEMS["invalid-source"].status,
    title: PROBLEMS["invalid-source"].title,
  });
  expect(await Array.fromAsync(thumbnet.batch(["photo.jpg"]))).toHaveLength(1);
});

test("a refusal is an error with its cause, which says what the service said", async () => {
  const refused = thumbnet.thumbnail(CHURCH, { size: 57 as 56 });
  await expect(refused).rejects.toThrow(ProblemError);
  await expect(refused).rejects.toMatchObject({
    code: "invalid-options",
    status: 400,
    message: expect.stringContaining("size"),
    requestId: expect.stringMatching(/./),
  });
  await expect(createClient(worker.url).thumbnail(CHURCH)).rejects.toMatchObject({ code: "invalid-signature" });
  await expect(createClient(worker.url).thumbnailUrl("photo.jpg")).rejects.toThrow(TypeError);
});

test("what is not the service is told apart from it", async () => {
  const proxy = createClient("https://example.com", { fetch: async () => new Response("<h1>", { status: 502 }) });
  await expect(proxy.classify(CHURCH)).rejects.toMatchObject({ code: "unknown", status: 502 });
});

test("a request ends with its signal", async () => {
  await expect(thumbnet.thumbnail(CHURCH, {}, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});
