/** A bucket that was there before the service: its pages onto the queue, and off it into thumbnails. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type BackfillRoom, backfill } from "../../src/queue/backfill.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";

// The queue waits before it delivers, and before it tries again.
vi.setConfig({ testTimeout: 90_000 });

const church = await readFile("examples/photos/church.jpg");
const OWNER_KEY = "an owner's key of thirty-two bytes".replaceAll(/[' ]/g, "-");
const NAMES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"];

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker({ ORIGINALS_PREFIX: "photos/" }, { OWNER_KEY });
  for (const name of NAMES) await worker.env.ORIGINALS.put(`photos/2025/${name}`, church);
  await worker.env.ORIGINALS.put("photos/2024/old.jpg", church);
  await worker.env.ORIGINALS.put("private/2025/secret.jpg", church);
});
afterAll(() => worker.close());

async function page(query: string, authorization = `Bearer ${OWNER_KEY}`) {
  const response = await worker.fetch(`/backfill${query}`, { method: "POST", headers: { authorization } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const sourcesMade = async () => (await worker.env.THUMBNAILS.list()).objects.map(({ key }) => key.split("/")[1]).sort();

it("pages lead through the bucket, and every original below the prefix gets its thumbnail", async () => {
  const pages: number[] = [];
  let cursor: unknown;
  do {
    const { status, body } = await page(`?prefix=2025/&limit=2${cursor ? `&cursor=${cursor}` : ""}`);
    expect(status).toBe(200);
    pages.push(Number(body.enqueued));
    cursor = body.cursor;
  } while (cursor !== null);
  expect(pages).toEqual([2, 2, 1]);
  const expected = NAMES.map((name) => `r2:photos%2F2025%2F${name}`);
  await vi.waitFor(async () => expect(await sourcesMade()).toEqual(expected), { timeout: 60_000, interval: 200 });
});

it("a purge finds the thumbnails by the same names as requests, below the prefix", async () => {
  const headers = { authorization: `Bearer ${OWNER_KEY}` };
  const purged = await worker.fetch("/cache/r2:2025/a.jpg", { method: "DELETE", headers });
  expect(await purged.json()).toEqual({ purged: 1, more: false });
  expect(await sourcesMade()).toEqual(NAMES.slice(1).map((name) => `r2:photos%2F2025%2F${name}`));
});

it("more keys than one call to the queue takes go there too", async () => {
  const keys = Array.from({ length: 230 }, (_, i) => `photos/many/${i}.txt`);
  await Promise.all(keys.map((key) => worker.env.ORIGINALS.put(key, "not an image")));
  expect(await page("?prefix=many/")).toEqual({ status: 200, body: { enqueued: 230, cursor: null } });
});

it("nothing below the prefix is a page without keys", async () => {
  expect(await page("?prefix=2099/")).toEqual({ status: 200, body: { enqueued: 0, cursor: null } });
});

it.each([
  ["without the owner's key", "", "", 401, "unauthorized"],
  ["with another key", "", "Bearer wrong", 401, "unauthorized"],
  ["for too large a page", "?limit=1001", undefined, 400, "invalid-request"],
  ["for an empty page", "?limit=0", undefined, 400, "invalid-request"],
  ["with a cursor that no page gave", "?cursor=%00", undefined, 400, "invalid-request"],
  ["with a parameter that does not exist", "?from=a", undefined, 400, "invalid-request"],
])("a request %s is refused", async (_, query, authorization, status, code) => {
  const answer = await page(query, authorization);
  expect([answer.status, answer.body.type]).toEqual([status, `/problems/${code}`]);
});

it("a GET is answered with the method that is expected", async () => {
  const response = await worker.fetch("/backfill");
  expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
});

it.each([
  ["has no queue", undefined, "queue-missing"],
  ["has a queue that takes nothing", { sendBatch: () => Promise.reject(new Error("internal")) }, "queue-failed"],
])("a deployment that %s says so", async (_, queue, code) => {
  const { ORIGINALS: originals } = worker.env;
  const room: BackfillRoom = { originals, originalsPrefix: "photos/2024/", queue };
  await expect(backfill({}, room)).rejects.toMatchObject({ code });
});
