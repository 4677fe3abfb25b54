/** Edge, then R2, then compute; each tier is filled after the client has its answer, and none is needed for one. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { Problem } from "../errors.ts";
import { FLIGHT_MS, SingleFlight } from "../overload/single-flight.ts";
import type { EncodedThumbnail } from "../pipeline.ts";
import type { Validators } from "../source/http.ts";
import { type Answer, answerOf, type Kept, keptNow, type Provenance } from "./answer.ts";
import { readBucket, readBucketUnless, writeBucket } from "./bucket.ts";
import { readEdge, writeEdge } from "./edge.ts";
import { withdraw, withdrawUnless } from "./purge.ts";

export interface CacheTiers {
  readonly edge: Cache;
  readonly bucket: R2Bucket;
  /** The service's own URL, its mount included: two services of one Worker may have different sources. */
  readonly address: string;
  /** Seconds for which a thumbnail is fresh. */
  readonly maxAge: number;
  readonly waitUntil: (promise: Promise<unknown>) => void;
}

export interface Computed {
  readonly thumbnail: EncodedThumbnail;
  /** Of the original that it was made from. */
  readonly validators: Validators;
}

/** Makes the thumbnail, or gives null if the original is still the version that `validators` name. */
export type Compute = (validators: Validators) => Promise<Computed | null>;

/** Whether the original is still the version that `validators` name. */
export type IsCurrent = (validators: Validators) => Promise<boolean>;

type Found = Kept & Provenance;

const flights = new SingleFlight<Found>();

/**
 * Answers from the nearest tier that can, before any other work; requests for one key share what lies behind the edge tier.
 * A stale copy is kept if the source says that the original is unchanged, and served for a day while the source does not answer.
 *
 * @param isCurrent asked once the thumbnail is stored, if others remove the thumbnails of originals that change.
 */
export async function cached(
  key: string,
  ifNoneMatch: string | null,
  tiers: CacheTiers,
  compute: Compute,
  isCurrent?: IsCurrent,
): Promise<Answer> {
  const near = await readEdge(tiers.edge, tiers.address, key, ifNoneMatch);
  if (near) return near;
  const stored = ifNoneMatch === null ? undefined : await readBucketUnless(tiers.bucket, key, ifNoneMatch);
  if (stored?.bytes === null && ageOf(stored) <= tiers.maxAge) return { ...stored, body: null, from: "r2" };
  // A stale copy's bytes are wanted after all.
  const read = stored?.bytes === null ? undefined : stored;
  const flight = flights.run(
    `${tiers.address} ${key}`,
    () => find(key, tiers, compute, read),
    (found) => keep(key, tiers, found, isCurrent),
  );
  // Others may be waiting for it, and the work is worth keeping, even if this client leaves.
  tiers.waitUntil(flight.catch(() => {}));
  const found = await flight;
  return answerOf(found, found, ifNoneMatch);
}

/** @param read what the bucket has, if it was asked already. */
async function find(key: string, tiers: CacheTiers, compute: Compute, read: Kept | null | undefined): Promise<Found> {
  const { bucket, maxAge } = tiers;
  const stored = read === undefined ? await readBucket(bucket, key) : read;
  const isFresh = stored !== null && ageOf(stored) <= maxAge;
  return isFresh ? { ...stored, from: "r2" } : renew(key, tiers, compute, stored);
}

/** Fills the tiers that lack it. Ends when the next request finds it in the bucket, or at once if a flight may outlast `maxAge`. */
async function keep(key: string, tiers: CacheTiers, found: Found, isCurrent?: IsCurrent): Promise<void> {
  const { edge, bucket, address, maxAge, waitUntil } = tiers;
  const near = afterAnswer(() => writeEdge(edge, address, key, found, maxAge));
  waitUntil(near);
  if (found.from === "r2") return;
  const written = writeBucket(bucket, key, found);
  // Who removed the outdated thumbnails before this one was there did not see it: whoever writes last looks last.
  const looked = async () => isCurrent && withdrawUnless(() => isCurrent(found.validators), key, tiers);
  waitUntil(Promise.all([near, written]).then(looked));
  if (maxAge * 1000 >= FLIGHT_MS) await written;
}

/** A write that begins at once takes the isolate's thread from the answer that it follows. */
async function afterAnswer(write: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  await write();
}

/** What is left of an answer once its bytes are there takes less. */
const AFTER_MS = 2;

async function renew(key: string, tiers: CacheTiers, compute: Compute, stale: Kept | null): Promise<Found> {
  try {
    const computed = await compute(stale?.validators ?? {});
    const asked = { from: "computed", stale: stale !== null } as const;
    if (computed) return { ...(await keptNow(computed.thumbnail, computed.validators)), ...asked };
    if (stale) return { ...(await keptNow(stale, stale.validators)), ...asked };
    throw new Error("The original cannot be unchanged: there is no earlier version.");
  } catch (error) {
    const code = error instanceof Problem ? error.code : "";
    if (stale && STALE_IF.includes(code) && ageOf(stale) <= tiers.maxAge + STALE_SECONDS)
      return { ...stale, from: "r2", stale: true };
    // Else the source's next failure would be bridged with what its owner took away.
    if (stale && TAKEN_AWAY.includes(code)) tiers.waitUntil(withdraw(key, tiers));
    throw error;
  }
}

/** What its owner says of an original that is no longer meant for everyone. */
const TAKEN_AWAY: readonly string[] = ["source-not-found", "source-refused"];

/** RFC 5861's stale-if-error: the source said nothing about the original. Its `Age` tells the client. */
const STALE_SECONDS = 86_400;
const STALE_IF: readonly string[] = ["source-failed", "source-timeout", "overloaded", "rate-limited"];

/** In seconds. */
const ageOf = ({ storedAt }: Pick<Kept, "storedAt">) => (Date.now() - storedAt.getTime()) / 1000;
