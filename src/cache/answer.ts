/** A thumbnail that is kept, and the answer that is made of it. */
import type { EncodedThumbnail } from "../pipeline.ts";
import type { Validators } from "../source/http.ts";
import { isNotModified } from "./conditional.ts";
import { toHex } from "./hex.ts";

/** A thumbnail with what every tier stores about it. */
export interface Kept extends EncodedThumbnail {
  /** Strong, with its quotes: the MD5 of the bytes, which is what R2 gives. */
  readonly etag: string;
  readonly storedAt: Date;
  /** What the source said of the original's version. */
  readonly validators: Validators;
}

export type Tier = "edge" | "r2" | "computed";

/** How an answer was come by. */
export interface Provenance {
  readonly from: Tier;
  /** Whether there was a copy that was no longer fresh, so that the source was asked. */
  readonly stale?: boolean;
}

export interface Answer extends Provenance {
  /** Null if the client's copy is still good. */
  readonly body: Uint8Array<ArrayBuffer> | null;
  readonly contentType: string;
  readonly etag: string;
  readonly storedAt: Date;
}

/**
 * The ETag of bytes. MD5 names content and finds damage, here as in R2; nobody who could forge a thumbnail for it could
 * not write to the bucket anyway.
 */
export async function etagOf(bytes: BufferSource): Promise<string> {
  return `"${toHex(await crypto.subtle.digest("MD5", bytes))}"`;
}

/** A thumbnail that was made or found unchanged just now. */
export async function keptNow(thumbnail: EncodedThumbnail, validators: Validators): Promise<Kept> {
  return { ...thumbnail, etag: await etagOf(thumbnail.bytes), storedAt: new Date(), validators };
}

/** The answer for a client that holds what `ifNoneMatch` names. */
export function answerOf(kept: Kept, { from, stale = false }: Provenance, ifNoneMatch: string | null): Answer {
  const { bytes, contentType, etag, storedAt } = kept;
  return { body: isNotModified(ifNoneMatch, etag) ? null : bytes, contentType, etag, storedAt, from, stale };
}

/** The seconds of an `Age` (RFC 9111, section 5.1). */
export function wholeAge(storedAt: Date): number {
  return Math.max(0, Math.floor((Date.now() - storedAt.getTime()) / 1000));
}
