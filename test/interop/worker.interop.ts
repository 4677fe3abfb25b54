/** The Worker in workerd asks three servers about the same photos: one protocol, one answer. */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { startMlserver } from "./mlserver/start.ts";
import { hasPython } from "./python.ts";
import { startTriton } from "./triton/start.ts";

const STUDENTS = ["student-56", "student-112"];
const PHOTOS = "test/fixtures/photos";
const TOLERANCE = 1e-4;

const answer = z.object({
  predictions: z.array(z.object({ label: z.string(), index: z.int(), probability: z.number() })),
  model: z.object({ name: z.string(), sha256: z.string() }),
  thumbnail: z.object({ sha256: z.string() }),
});

interface Seen {
  readonly predictions: z.infer<typeof answer>["predictions"];
  readonly logits: Float32Array;
}

describe.skipIf(!hasPython)("Triton, MLServer and the embedded origin give the Worker the same logits", () => {
  const seen = new Map<string, Map<string, Seen>>();
  let photos: string[];
  beforeAll(async () => {
    photos = (await readdir(PHOTOS)).filter((name) => name.endsWith(".jpg")).sort();
    const servers = {
      embedded: () => startOrigin(),
      triton: () => startTriton("models", STUDENTS),
      mlserver: () => startMlserver("models", STUDENTS),
    };
    for (const [name, start] of Object.entries(servers)) {
      const server = await start();
      const worker = await startWorker({ ORIGINS: `http://127.0.0.1:${server.port}` });
      try {
        seen.set(name, await classifyAll(worker, photos));
      } finally {
        await worker.close();
        await server.stop();
      }
    }
  }, 300_000);

  test.each(["triton", "mlserver"])("%s agrees with the embedded origin", (name) => {
    const reference = seen.get("embedded");
    const other = seen.get(name);
    expect(other?.size).toBe(photos.length * STUDENTS.length);
    for (const [what, { logits, predictions }] of reference ?? []) {
      const found = other?.get(what);
      expect(
        found?.predictions.map(({ label, index }) => [label, index]),
        what,
      ).toEqual(predictions.map(({ label, index }) => [label, index]));
      expect(logits).toHaveLength(10);
      for (const [i, logit] of logits.entries()) {
        expect(Math.abs((found?.logits[i] ?? Number.NaN) - logit), `${what}, class ${i}`).toBeLessThanOrEqual(
          TOLERANCE,
        );
      }
    }
  });

  test("the photos are told apart, so that equal answers mean something", () => {
    const best = [...(seen.get("embedded")?.values() ?? [])].map(({ logits }) => logits.join());
    expect(new Set(best).size).toBe(best.length);
  });

  afterAll(() => seen.clear());
});

/** Predictions from the answer, logits from where the Worker keeps them. */
async function classifyAll(worker: TestWorker, photos: readonly string[]): Promise<Map<string, Seen>> {
  const results = new Map<string, Seen>();
  for (const photo of photos) {
    const body = await readFile(`${PHOTOS}/${photo}`);
    for (const size of [56, 112]) {
      const response = await worker.fetch(`/classify/size=${size},top=10`, { method: "POST", body });
      const text = await response.text();
      expect(response.status, text).toBe(200);
      const { predictions, model, thumbnail } = answer.parse(JSON.parse(text));
      const key = `logits/${thumbnail.sha256}/${model.sha256}.f32`;
      results.set(`${photo} at ${size}`, { predictions, logits: await keptLogits(worker, key) });
    }
  }
  return results;
}

/** Written after the answer is given. */
async function keptLogits(worker: TestWorker, key: string): Promise<Float32Array> {
  for (;;) {
    const object = await worker.env.THUMBNAILS.get(key);
    if (object) return new Float32Array(await object.arrayBuffer());
    await pause(20);
  }
}
