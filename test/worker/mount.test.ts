/** `examples/mount`: the service below `/img` of another app. */
import { readFile } from "node:fs/promises";
import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { createClient } from "../../src/client/index.ts";

const KEY = { id: "web-1", secret: "correct horse battery staple, and 32 bytes" };

let harness: TestHarness;
let base: string;
let env: { PHOTOS: R2Bucket; SMALL_PHOTOS: R2Bucket; CHANGES: Queue };
beforeAll(async () => {
  harness = createTestHarness({
    workers: [
      {
        configPath: "examples/mount/wrangler.toml",
        secrets: { THUMBNAIL_KEYS: JSON.stringify({ [KEY.id]: KEY.secret }) },
      },
    ],
  });
  const { url } = await harness.listen();
  base = `${url.origin}/img`;
  env = await harness.getWorker<typeof env>().getEnv();
  await env.PHOTOS.put("church.jpg", await readFile("examples/photos/church.jpg"));
});
afterAll(() => harness?.close());

test("the app's own page shows a thumbnail", async () => {
  const page = await (await fetch(new URL("/", base))).text();
  const [, source = ""] = /^<img src="([^"]+)"/.exec(page) ?? [];
  const response = await fetch(source.replaceAll("&amp;", "&"));
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
});

test("signed URLs of the client lead to thumbnails below the mount", async () => {
  const client = createClient(base, { key: KEY, expiresIn: 60 });
  const url = await client.thumbnailUrl({ r2: "church.jpg" }, { size: 112 });
  expect(url).toMatch(/\/img\/thumbnail\//);
  const response = await fetch(url);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
  expect((await fetch(url.replace("size=112", "size=56"))).status).toBe(403);
});

test("the type of a problem is the address of its page below the mount", async () => {
  const problem = (await (await fetch(`${base}/thumbnail/_/r2:church.jpg`)).json()) as { type: string };
  expect(problem.type).toBe("/img/problems/invalid-signature");
  const page = await fetch(new URL(problem.type, base));
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('href="/img/problems"')]);
});

test("a batch's problems and the description are of the mount, too", async () => {
  const items = [{ source: "r2:church.jpg" }];
  const lines = await (await fetch(`${base}/batch`, { method: "POST", body: JSON.stringify({ items }) })).text();
  expect(JSON.parse(lines)).toMatchObject({ type: "/img/problems/invalid-signature" });
  expect(await (await fetch(`${base}/openapi.json`)).json()).toMatchObject({ servers: [{ url: "/img" }] });
});

test("the app's queue makes the thumbnails of photos that are told of", async () => {
  expect((await env.SMALL_PHOTOS.list({ prefix: "thumbnails/r2:new.jpg/" })).objects).toEqual([]);
  const stored = await env.PHOTOS.put("new.jpg", await readFile("examples/photos/parachute.jpg"));
  const object = { key: "new.jpg", size: stored?.size, eTag: stored?.etag };
  await env.CHANGES.send({ action: "PutObject", bucket: "shop-photos", object });
  await vi.waitFor(
    async () => expect((await env.SMALL_PHOTOS.list({ prefix: "thumbnails/r2:new.jpg/" })).objects).toHaveLength(1),
    { timeout: 25_000, interval: 100 },
  );
});

test.each([
  ["/", 200, /^<img/],
  ["/nothing", 404, /^This app has no such page\.$/],
  ["/img/nothing", 404, /"type":"\/img\/problems\/not-found"/],
  ["/%69mg/thumbnail/_/r2:church.jpg", 404, /"type":"\/img\/problems\/not-found"/],
])("%s is answered by whose it is", async (path, status, text) => {
  const response = await fetch(new URL(path, base));
  expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(text)]);
});
