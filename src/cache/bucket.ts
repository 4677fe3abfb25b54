/** The lasting tier: one R2 object per thumbnail. Its age is the time since it was written or last found unchanged. */

import type { R2Bucket } from "@cloudflare/workers-types";
import { etagOf, type Kept } from "./answer.ts";
import { attemptRead, attemptWrite } from "./attempt.ts";

/** Names of custom metadata. */
const SOURCE_ETAG = "source-etag";
const SOURCE_LAST_MODIFIED = "source-last-modified";

/** R2's copy of any age, or null. Bytes that are not those that were stored are as good as none. */
export function readBucket(bucket: R2Bucket, key: string): Promise<Kept | null> {
  return attemptRead("r2", async () => {
    const object = await bucket.get(key);
    if (!object) return null;
    const bytes = new Uint8Array(await object.arrayBuffer());
    const contentType = object.httpMetadata?.contentType;
    if (bytes.length === 0 || !contentType) throw new Error("The object is not one of ours.");
    if ((await etagOf(bytes)) !== object.httpEtag) throw new Error("The bytes do not fit their ETag.");
    const { [SOURCE_ETAG]: etag, [SOURCE_LAST_MODIFIED]: lastModified } = object.customMetadata ?? {};
    return {
      bytes,
      contentType,
      etag: object.httpEtag,
      storedAt: object.uploaded,
      validators: { ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) },
    };
  });
}

/** Stores a thumbnail; R2 checks the bytes against the digest. Never rejects. */
export function writeBucket(bucket: R2Bucket, key: string, kept: Kept): Promise<void> {
  return attemptWrite("r2", () => putBucket(bucket, key, kept));
}

/** Stores a thumbnail, or throws what R2 throws. */
export async function putBucket(bucket: R2Bucket, key: string, kept: Kept): Promise<void> {
  const { etag, lastModified } = kept.validators;
  await bucket.put(key, kept.bytes, {
    md5: kept.etag.slice(1, -1),
    httpMetadata: { contentType: kept.contentType },
    customMetadata: {
      ...(etag ? { [SOURCE_ETAG]: etag } : {}),
      ...(lastModified ? { [SOURCE_LAST_MODIFIED]: lastModified } : {}),
    },
  });
}

/** Keys of thumbnails (up to 1000) with the ETag of the original that each was made from; it is "" if the source gave none. */
export async function listBucket(bucket: R2Bucket, prefix: string): Promise<Map<string, string>> {
  const { objects } = await bucket.list({ prefix, include: ["customMetadata"] });
  return new Map(objects.map(({ key, customMetadata }) => [key, customMetadata?.[SOURCE_ETAG] ?? ""]));
}
