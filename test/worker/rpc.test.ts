/** `examples/rpc` beside the service in one workerd, with a real origin. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WORKER_DIR } from "./build.ts";
import { startWithOrigin } from "./harness.ts";

let running: Awaited<ReturnType<typeof startWithOrigin>>;
beforeAll(async () => {
  running = await startWithOrigin((origin) => [
    { configPath: "examples/rpc/wrangler.toml" },
    // Closed to everyone: nothing is signed, no host is allowed.
    { configPath: "wrangler.toml", prebuiltWorkerDir: WORKER_DIR, vars: { ORIGINS: origin } },
  ]);
});
afterAll(() => running?.close());

async function upload(body: Uint8Array<ArrayBuffer>) {
  const response = await running.harness.fetch("/", { method: "POST", body });
  return [response.status, await response.json()];
}

test("a Worker has its uploads classified and made small over the binding, without a signature", async () => {
  expect(await upload(new Uint8Array(await readFile("examples/photos/church.jpg")))).toEqual([
    200,
    { label: "church", thumbnailBytes: expect.any(Number) },
  ]);
});

test("problems arrive with their code and status", async () => {
  expect(await upload(new TextEncoder().encode("no image"))).toEqual([
    415,
    { code: "unsupported-format", message: expect.stringMatching(/^The bytes are not an image/) },
  ]);
});
