/** A response that a test reads late: nothing of this process may take its body away in the meantime. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startWorker, type TestWorker } from "./harness.ts";

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

it("keeps the body of a response that is not yet read, whatever the garbage collector finds", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const unread = await worker.fetch("/openapi.json");
  for (let round = 0; round < 5; round += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await unread.json()).toHaveProperty("openapi");
});
