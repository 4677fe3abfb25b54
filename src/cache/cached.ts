/** Edge, then R2, then compute; each tier is filled after the client has its answer. */
import type { EncodedThumbnail } from "../pipeline.ts";
import type { Validators } from "../source/http.ts";
import { type Answer, computedAnswer } from "./answer.ts";
import { type Kept, readBucket, writeBucket } from "./bucket.ts";
import { readEdge, writeEdge } from "./edge.ts";

export interface CacheTiers {
  readonly edge: Cache;
  readonly bucket: R2Bucket;
  /** Origin of the Worker's own URL. */
  readonly host: string;
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

/**
 * Answers from the nearest tier that can, before any other work. A stale copy is kept if the source says that the
 * original is unchanged. What `compute` throws is kept nowhere.
 */
export async function cached(
  key: string,
  ifNoneMatch: string | null,
  tiers: CacheTiers,
  compute: Compute,
): Promise<Answer> {
  const { edge, bucket, host, maxAge, waitUntil } = tiers;
  const near = await readEdge(edge, host, key, ifNoneMatch);
  if (near) return near;

  const kept = await readBucket(bucket, key, ifNoneMatch);
  if (kept && Date.now() - kept.storedAt.getTime() <= maxAge * 1000) return fillEdge(kept, key, tiers);

  const computed = await compute(kept?.validators ?? {});
  if (!computed && !kept) throw new Error("The original cannot be unchanged: there is no earlier version.");
  const made = computed ?? (await readAgain(bucket, key));
  const answer = await computedAnswer(made.thumbnail, ifNoneMatch);
  waitUntil(writeBucket(bucket, key, made.thumbnail, made.validators));
  waitUntil(writeEdge(edge, host, key, made.thumbnail.bytes, answer, maxAge));
  return answer;
}

function fillEdge(kept: Kept, key: string, { edge, host, maxAge, waitUntil }: CacheTiers): Kept {
  if (!(kept.body instanceof ReadableStream)) return kept;
  const [toClient, toEdge] = kept.body.tee();
  waitUntil(new Response(toEdge).arrayBuffer().then((bytes) => writeEdge(edge, host, key, bytes, kept, maxAge)));
  return { ...kept, body: toClient };
}

/** The whole stale copy, to be written back as fresh: R2 has no way to touch an object. */
async function readAgain(bucket: R2Bucket, key: string): Promise<Computed> {
  const kept = await readBucket(bucket, key, null);
  if (!kept?.body) throw new Error("The thumbnail left the bucket while its source was asked.");
  const bytes = new Uint8Array(await new Response(kept.body).arrayBuffer());
  return { thumbnail: { bytes, contentType: kept.contentType }, validators: kept.validators };
}
