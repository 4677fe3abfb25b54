/** The lasting tier: one R2 object per thumbnail. Its age is the time since it was written or last found unchanged. */
import type { EncodedThumbnail } from "../pipeline.ts";
import type { Validators } from "../source/http.ts";
import type { Answer } from "./answer.ts";
import { entityTags } from "./conditional.ts";

export interface Kept extends Answer {
  /** What the source said of the original's version. */
  readonly validators: Validators;
}

/** R2's copy of any age, or null. Its body stays in R2 if the client holds the same bytes. */
export async function readBucket(bucket: R2Bucket, key: string, ifNoneMatch: string | null): Promise<Kept | null> {
  const known = entityTags(ifNoneMatch).map((tag) => `"${tag}"`);
  const onlyIf = new Headers(known.length ? { "if-none-match": known.join(", ") } : {});
  const object = await bucket.get(key, { onlyIf });
  if (!object) return null;
  const { "source-etag": etag, "source-last-modified": lastModified } = object.customMetadata ?? {};
  return {
    body: "body" in object ? object.body : null,
    contentType: object.httpMetadata?.contentType ?? "application/octet-stream",
    etag: object.httpEtag,
    storedAt: object.uploaded,
    from: "r2",
    validators: { ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) },
  };
}

export async function writeBucket(
  bucket: R2Bucket,
  key: string,
  thumbnail: EncodedThumbnail,
  { etag, lastModified }: Validators,
): Promise<void> {
  await bucket.put(key, thumbnail.bytes, {
    httpMetadata: { contentType: thumbnail.contentType },
    customMetadata: {
      ...(etag ? { "source-etag": etag } : {}),
      ...(lastModified ? { "source-last-modified": lastModified } : {}),
    },
  });
}
