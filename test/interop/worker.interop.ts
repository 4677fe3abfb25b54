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

/** What is asked for, what must be at the origin for it, and how many logits it answers. MLServer has no ensembles. */
const HEADS: Record<string, { readonly models: readonly string[]; readonly classes: number }> = {
  "head=student": { models: ["student-56"], classes: 10 },
  "head=student,size=112": { models: ["student-112"], classes: 1000 },
  "head=student-low-stride": { models: ["student-56-low-stride"], classes: 10 },
  "head=student-thousand": { models: ["student-56-thousand"], classes: 1000 },
  "head=student-full": { models: ["student-56-full"], classes: 1000 },
  "head=restored": { models: ["restored-56", "restorer-56", "teacher-224"], classes: 1000 },
};
const ASKED = {
  embedded: Object.keys(HEADS),
  triton: Object.keys(HEADS),
  mlserver: Object.keys(HEADS).filter((head) => head !== "head=restored"),
};
const needed = (heads: readonly string[]) => heads.flatMap((head) => HEADS[head]?.models ?? []);
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
      triton: () => startTriton("models", needed(ASKED.triton)),
      mlserver: () => startMlserver("models", needed(ASKED.mlserver)),
    };
    for (const name of ["embedded", "triton", "mlserver"] as const) {
      const server = await servers[name]();
      const worker = await startWorker({ ORIGINS: `http://127.0.0.1:${server.port}` });
      try {
        seen.set(name, await classifyAll(worker, photos, ASKED[name]));
      } finally {
        await worker.close();
        await server.stop();
      }
    }
  }, 300_000);

  test.each(["triton", "mlserver"] as const)("%s agrees with the embedded origin", (name) => {
    const reference = seen.get("embedded");
    const other = seen.get(name);
    expect(other?.size).toBe(photos.length * ASKED[name].length);
    for (const [what, { logits, predictions }] of reference ?? []) {
      const head = ASKED[name].find((asked) => what.endsWith(asked));
      if (!head) continue;
      const found = other?.get(what);
      expect(
        found?.predictions.map(({ label, index }) => [label, index]),
        what,
      ).toEqual(predictions.map(({ label, index }) => [label, index]));
      expect(logits).toHaveLength(HEADS[head]?.classes ?? 0);
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
async function classifyAll(
  worker: TestWorker,
  photos: readonly string[],
  heads: readonly string[],
): Promise<Map<string, Seen>> {
  const results = new Map<string, Seen>();
  for (const photo of photos) {
    const body = await readFile(`${PHOTOS}/${photo}`);
    for (const head of heads) {
      const response = await worker.fetch(`/classify/${head},top=10`, { method: "POST", body });
      const text = await response.text();
      expect(response.status, text).toBe(200);
      const { predictions, model, thumbnail } = answer.parse(JSON.parse(text));
      const key = `logits/${thumbnail.sha256}/${model.sha256}.f32`;
      results.set(`${photo} with ${head}`, { predictions, logits: await keptLogits(worker, key) });
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
