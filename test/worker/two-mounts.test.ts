/** Services that share a Worker share nothing that they keep; those that share a bucket, only what each of them may have. */
import { readFile } from "node:fs/promises";
import type { R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { TestHarness } from "wrangler";
import { makeThumbnail } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { serveInternet, startWithOrigin } from "./harness.ts";

const church = await readFile("examples/photos/church.jpg");
const parachute = await readFile("examples/photos/parachute.jpg");
const PHOTOS = { cats: church, dogs: parachute, kittens: church, puppies: parachute };
type Mount = keyof typeof PHOTOS;
const runtime = await nodeRuntime();

let harness: TestHarness;
let close: () => Promise<void>;
let env: Record<"CATS" | "DOGS" | "PETS" | "SMALL_PETS", R2Bucket>;
beforeAll(async () => {
  ({ harness, close } = await startWithOrigin((origin) => [
    { configPath: "test/worker/two-mounts/wrangler.toml", vars: { ORIGINS: origin } },
  ]));
  env = await harness.getWorker<typeof env>().getEnv();
  await env.CATS.put("best.jpg", PHOTOS.cats);
  await env.DOGS.put("best.jpg", PHOTOS.dogs);
  await env.PETS.put("kittens/best.jpg", PHOTOS.kittens);
  await env.PETS.put("puppies/best.jpg", PHOTOS.puppies);
});
afterAll(() => close?.());

async function get(mount: Mount, options = "_", source = "r2:best.jpg") {
  const response = await harness.fetch(`/${mount}/thumbnail/${options}/${source}`);
  // At once: see `held` in the harness.
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { mount, bytes, status: response.status, cache: response.headers.get("cache-status") };
}

async function expectOwn({ mount, bytes }: Awaited<ReturnType<typeof get>>, size: number): Promise<void> {
  const own = await makeThumbnail(PHOTOS[mount], { size, format: "png" }, runtime);
  expect(bytes, mount).toEqual(own.bytes);
}

const untilKept = (prefix: string) =>
  vi.waitFor(async () => expect((await env.SMALL_PETS.list({ prefix })).objects).not.toEqual([]), { timeout: 5000 });

test.each(["at the same time", "from the edge"])("originals of the same name are told apart %s", async (when) => {
  if (when === "from the edge") {
    await vi.waitFor(async () => expect((await get("cats")).cache).toContain("detail=edge"));
  }
  for (const answer of await Promise.all([get("cats"), get("dogs")])) await expectOwn(answer, 56);
});

test("originals of the same name below two prefixes are told apart in one bucket of thumbnails", async () => {
  for (const mount of ["kittens", "puppies"] as const) {
    await expectOwn(await get(mount, "size=112"), 112);
    await untilKept("thumbnails/r2:");
  }
});

test("a thumbnail that one service may make is not served by another that may not ask for the source", async () => {
  const leave = serveInternet({ "kittens.example.com": () => new Response(church) });
  const source = "https://kittens.example.com/a.jpg";
  const made = await get("kittens", "_", source);
  await untilKept(`thumbnails/${source}/`);
  const refused = await get("puppies", "_", source);
  leave();
  expect([made.status, refused.status]).toEqual([200, 403]);
  expect(new TextDecoder().decode(refused.bytes)).toContain("source-not-allowed");
});

test("a batch reads the service's own buckets to its last item, which the app around calls otherwise", async () => {
  // More than are worked on at once, so that some begin long after the answer's headers are out.
  const items = Array(8).fill({ source: "r2:best.jpg", options: "head=student" });
  const response = await harness.fetch("/cats/batch", { method: "POST", body: JSON.stringify({ items }) });
  const lines = (await response.text()).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).status)).toEqual(items.map(() => 200));
});

test("classes that extend the entry point have a configuration and originals of their own, also from the edge", async () => {
  const bound = async (service: "cats" | "puppies") => {
    const response = await harness.fetch(`/bound/${service}/best.jpg`);
    return {
      mount: service,
      bytes: new Uint8Array(await response.arrayBuffer()),
      status: response.status,
      cache: null,
    };
  };
  for (const service of ["cats", "puppies", "cats", "puppies"] as const) await expectOwn(await bound(service), 56);
});
