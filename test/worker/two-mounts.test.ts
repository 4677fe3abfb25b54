/** Services that share a Worker share nothing that they keep. */
import { readFile } from "node:fs/promises";
import type { R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { makeThumbnail } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";

const PHOTOS = {
  cats: await readFile("examples/photos/church.jpg"),
  dogs: await readFile("examples/photos/parachute.jpg"),
};
const runtime = await nodeRuntime();

let harness: TestHarness;
let base: string;
beforeAll(async () => {
  harness = createTestHarness({ workers: [{ configPath: "test/worker/two-mounts/wrangler.toml" }] });
  base = (await harness.listen()).url.href;
  const env = await harness.getWorker<{ CATS: R2Bucket; DOGS: R2Bucket }>().getEnv();
  await env.CATS.put("best.jpg", PHOTOS.cats);
  await env.DOGS.put("best.jpg", PHOTOS.dogs);
});
afterAll(() => harness?.close());

const get = (mount: string) => fetch(new URL(`${mount}/thumbnail/_/r2:best.jpg`, base));

test.each(["at the same time", "from the edge"])("originals of the same name are told apart %s", async (when) => {
  if (when === "from the edge") {
    await vi.waitFor(async () => expect((await get("cats")).headers.get("cache-status")).toContain("detail=edge"));
  }
  const answers = await Promise.all((["cats", "dogs"] as const).map(async (name) => [name, await get(name)] as const));
  for (const [name, answer] of answers) {
    const { bytes } = await makeThumbnail(PHOTOS[name], { size: 56, format: "png" }, runtime);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
  }
});
