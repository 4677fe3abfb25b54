/** A thumbnail on its way to the client, whichever tier it comes from. */
import type { EncodedThumbnail } from "../pipeline.ts";
import { isNotModified } from "./conditional.ts";
import { toHex } from "./hex.ts";

export interface Answer {
  /** Null if the client's copy is still good. */
  readonly body: ReadableStream | Uint8Array | null;
  readonly contentType: string;
  /** Strong, with its quotes: the MD5 of the bytes, which is what R2 gives. It names content; no security relies on it. */
  readonly etag: string;
  readonly storedAt: Date;
  readonly from: "edge" | "r2" | "computed";
}

/** The answer made of bytes that were just computed. */
export async function computedAnswer(thumbnail: EncodedThumbnail, ifNoneMatch: string | null): Promise<Answer> {
  const digest = await crypto.subtle.digest("MD5", thumbnail.bytes);
  const etag = `"${toHex(digest)}"`;
  return {
    body: isNotModified(ifNoneMatch, etag) ? null : thumbnail.bytes,
    contentType: thumbnail.contentType,
    etag,
    storedAt: new Date(),
    from: "computed",
  };
}
