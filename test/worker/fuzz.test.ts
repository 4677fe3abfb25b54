/**
 * Damaged images through the Worker: each is a thumbnail or a client's error, and none changes what the next one gets.
 *
 * Bounded by time; FUZZ_SECONDS asks for more and FUZZ_SEED for other damage. `bench/fuzz.ts` runs for long and measures memory.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker, type TestWorker } from "./harness.ts";
import { mutate, SEEDS, seeded } from "./mutate.ts";

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 8);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const AT_ONCE = 8;
const HANG_MS = 15_000;

/** What may be wrong with bytes that someone sends. */
const EXPECTED = ["invalid-request", "unsupported-format", "undecodable-image", "image-too-large", "body-too-large"];

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

async function post(image: Uint8Array<ArrayBuffer>): Promise<{ status: number; body: Uint8Array }> {
  const response = await worker.fetch("/thumbnail/_", {
    method: "POST",
    body: image,
    signal: AbortSignal.timeout(HANG_MS),
  });
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}

test(`for ${SECONDS} seconds`, { timeout: (SECONDS + 60) * 1000 }, async () => {
  const before = await Promise.all(SEEDS.map(post));
  expect(before.map(({ status }) => status)).toEqual(SEEDS.map(() => 200));

  const random = seeded(SEED);
  const end = Date.now() + SECONDS * 1000;
  const counts: Record<string, number> = {};
  let number = 0;
  const sendUntilEnd = async () => {
    while (Date.now() < end) {
      const image = mutate(random);
      number += 1;
      const { status, body } = await post(image);
      const outcome = status === 200 ? "thumbnail" : JSON.parse(new TextDecoder().decode(body)).type.split("/").at(-1);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      if (status !== 200)
        expect(EXPECTED, `image ${number}: ${Buffer.from(image).toString("base64")}`).toContain(outcome);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendUntilEnd));

  console.log(`${number} damaged images of seed ${SEED}:`, counts);
  expect(number).toBeGreaterThan(100);
  expect(counts.thumbnail).toBeGreaterThan(0);
  expect(await Promise.all(SEEDS.map(post))).toEqual(before);
});
