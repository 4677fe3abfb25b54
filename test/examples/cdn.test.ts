/** examples/cdn: every header that its table promises, from the Worker in workerd. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";

const OWNER_KEY = "owner-key-owner-key-owner-key-owner-key";
const church = await readFile("examples/photos/church.jpg");

let origin: RunningOrigin;
let worker: TestWorker;
beforeAll(async () => {
  origin = await startOrigin();
  worker = await startWorker({ ORIGINS: origin.url }, { OWNER_KEY });
  for (const key of ["a.jpg", "a.jpg.jpg"]) await worker.env.ORIGINALS.put(key, church);
});
afterAll(async () => {
  await worker?.close();
  await origin?.stop();
});

async function headers(path: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers }> {
  const response = await worker.fetch(path, init);
  await response.arrayBuffer();
  return { status: response.status, headers: response.headers };
}

const tagOf = async (path: string) => (await headers(path)).headers.get("cache-tag");

it("a thumbnail may be kept by everyone, and names its version", async () => {
  const { headers: got } = await headers("/thumbnail/_/r2:a.jpg");
  expect(got.get("cache-control")).toBe("public, max-age=86400");
  expect(got.get("vary")?.toLowerCase().includes("accept") ?? false).toBe(false);
  const again = await headers("/thumbnail/_/r2:a.jpg", { headers: { "if-none-match": got.get("etag") ?? "" } });
  expect([again.status, again.headers.get("cache-tag")]).toEqual([304, got.get("cache-tag")]);
});

it("format=auto varies with Accept", async () => {
  const { headers: got } = await headers("/thumbnail/format=auto/r2:a.jpg");
  expect(got.get("vary")?.toLowerCase()).toContain("accept");
});

it.each(["/thumbnail/_/r2:missing.jpg", "/thumbnail/size=57/r2:a.jpg"])(
  "the error of %s is kept by nobody",
  async (path) => {
    const { status, headers: got } = await headers(path);
    expect([status >= 400, got.get("cache-control"), got.get("cache-tag")]).toEqual([true, "no-store", null]);
  },
);

it("an upload's thumbnail is kept by nobody", async () => {
  const { headers: got } = await headers("/thumbnail/_", { method: "POST", body: church });
  expect([got.get("cache-control"), got.get("cache-tag")]).toEqual(["no-store", null]);
});

it("all that is made of a source shares one tag, which its purge names, and no other source has it", async () => {
  const tag = await tagOf("/thumbnail/_/r2:a.jpg");
  expect(await tagOf("/classify/top=1/r2:a.jpg")).toBe(tag);
  expect(tag).toMatch(/^thumbnet-[0-9a-f]{16}$/);
  expect(await tagOf("/thumbnail/size=112,format=webp/r2:a.jpg")).toBe(tag);
  expect(await tagOf("/thumbnail/_/r2:a%2Ejpg")).toBe(tag);
  expect(await tagOf("/thumbnail/_/r2:a.jpg.jpg")).not.toBe(tag);
  const authorization = `Bearer ${OWNER_KEY}`;
  const purged = await headers("/cache/r2:a.jpg", { method: "DELETE", headers: { authorization } });
  expect([purged.status, purged.headers.get("x-cache-tag")]).toEqual([200, tag]);
});
