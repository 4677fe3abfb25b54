/** Logits for a batch of thumbnails from whichever origin can give them: batches, failover, retries, all within one time. */
import type { ModelCard } from "../downscaler/card.ts";
import { Problem } from "../errors.ts";
import type { Step } from "../observation.ts";
import { type Breaker, type BreakerLimits, createBreaker } from "./breaker.ts";
import { createOriginClient, type OriginClient } from "./origin-client.ts";
import { OriginError } from "./origin-error.ts";
import type { Fetch, OriginAddress } from "./origin-http.ts";

export interface ClassifierConfig {
  /** In order of preference. */
  readonly origins: readonly OriginAddress[];
  /** For one `classify`, with all its attempts. */
  readonly timeoutMs: number;
  /** Further rounds over the origins after one in which all were busy or unreachable. */
  readonly retries: number;
  /** First pause between rounds; it doubles, and each is drawn from 0 up to it ("full jitter"). */
  readonly backoffMs: number;
  /** Most images in one request; at most the model's `max_batch_size` at every origin. */
  readonly maxBatch: number;
  readonly breaker: BreakerLimits;
  readonly metadataTtlMs: number;
}

export const CLASSIFIER_DEFAULTS: Omit<ClassifierConfig, "origins"> = {
  timeoutMs: 10_000,
  retries: 2,
  backoffMs: 50,
  maxBatch: 64,
  breaker: { failures: 5, coolDownMs: 5_000 },
  metadataTtlMs: 300_000,
};

/** What comes from outside; tests bring their own. */
export interface ClassifierWorld {
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export const WORLD: ClassifierWorld = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export interface ClassifierAnswer {
  /** One array of logits for each image, in order. */
  readonly logits: readonly Float32Array[];
  /** Requests that it took, without metadata and failed attempts. */
  readonly requests: number;
  readonly milliseconds: number;
}

export interface Classifier {
  /**
   * @param images uint8 [side, side, 3] each, as the card's input has it.
   * @throws Problem `origin-missing`, `origin-failed`, `origin-overloaded`, `origin-timeout`.
   */
  classify(images: readonly Uint8Array[], card: ModelCard): Promise<ClassifierAnswer>;
}

export function createClassifier(config: ClassifierConfig, world: ClassifierWorld): Classifier {
  const { timeoutMs, retries, backoffMs, maxBatch } = config;
  const { now, random, sleep } = world;
  const origins = config.origins.map((address) => ({
    client: createOriginClient(address, { ...world, metadataTtlMs: config.metadataTtlMs }),
    breaker: createBreaker(config.breaker, now),
  }));

  /** Asks the origins in turn; each gets its share of the time left, so that a slow one leaves some for the next. */
  async function oneRound(card: ModelCard, batch: Uint8Array, rows: number, deadline: number): Promise<Float32Array> {
    let last: OriginError | undefined;
    for (const [index, { client, breaker }] of origins.entries()) {
      const left = Math.max(0, deadline - now());
      if (!breaker.tryPass()) continue;
      try {
        return await inferVia(breaker, client, card, batch, rows, left / (origins.length - index));
      } catch (error) {
        if (!(error instanceof OriginError)) throw error;
        last = last === undefined || !error.kind.again ? error : last;
      }
    }
    throw last ?? new OriginError("resting", "The inference origin failed repeatedly and is left alone for a moment.");
  }

  async function infer(card: ModelCard, batch: Uint8Array, rows: number, deadline: number): Promise<Float32Array> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await oneRound(card, batch, rows, deadline);
      } catch (error) {
        if (!(error instanceof OriginError)) throw error;
        const pause = random() * backoffMs * 2 ** attempt;
        if (!error.kind.again || attempt >= retries || now() + pause >= deadline) throw error.toProblem();
        await sleep(pause);
      }
    }
  }

  return {
    async classify(images, card) {
      if (origins.length === 0) throw new Problem("origin-missing", "This service has no inference origin to ask.");
      const start = now();
      const deadline = start + timeoutMs;
      const batches = chunks(images, maxBatch);
      const answers = await Promise.all(batches.map((batch) => infer(card, joined(batch), batch.length, deadline)));
      const classes = card.output.shape[1] ?? 0;
      const logits = answers.flatMap((answer, i) =>
        (batches[i] ?? []).map((_, row) => answer.subarray(row * classes, (row + 1) * classes)),
      );
      return { logits, requests: batches.length, milliseconds: now() - start };
    },
  };
}

/** The same, with its work as the step `origin`. */
export function observed(classifier: Classifier, step: Step): Classifier {
  return { classify: (images, card) => step("origin", () => classifier.classify(images, card)) };
}

async function inferVia(
  breaker: Breaker,
  client: OriginClient,
  card: ModelCard,
  batch: Uint8Array,
  rows: number,
  milliseconds: number,
): Promise<Float32Array> {
  try {
    const logits = await client.infer(card, batch, rows, AbortSignal.timeout(Math.ceil(milliseconds)));
    breaker.succeeded();
    return logits;
  } catch (error) {
    // An origin that says that it is busy, or that has the wrong model, is well.
    if (error instanceof OriginError && error.kind.unwell) breaker.failed();
    else breaker.succeeded();
    throw error;
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function joined(images: readonly Uint8Array[]): Uint8Array {
  const [first] = images;
  if (images.length === 1 && first) return first;
  const batch = new Uint8Array(images.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let offset = 0;
  for (const image of images) {
    batch.set(image, offset);
    offset += image.byteLength;
  }
  return batch;
}
