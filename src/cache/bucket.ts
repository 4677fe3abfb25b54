/** The lasting tier: one R2 object per thumbnail. Its age is the time since it was written or last found unchanged. */

import type { R2Bucket, R2ObjectBody } from "@cloudflare/workers-types";
import { etagOf, type Kept } from "./answer.ts";
import { attemptRead, attemptWrite } from "./attempt.ts";
import { entityTags } from "./conditional.ts";

/** R2's copy is the one that the client holds: nothing of its body was read. */
export type Unread = Omit<Kept, "bytes" | "validators"> & { readonly bytes: null };

/** Names of custom metadata. */
const SOURCE_ETAG = "source-etag";
const SOURCE_LAST_MODIFIED = "source-last-modified";

/** What R2 lists or deletes at once. */
export const KEYS_PER_CALL = 1000;

/** R2's copy of any age, or null. Bytes that are not those that were stored are as good as none. */
export function readBucket(bucket: R2Bucket, key: string): Promise<Kept | null> {
  return attemptRead("r2", async () => {
    const object = await bucket.get(key);
    return object && keptOf(object);
  });
}

/** The same for a client that holds what `ifNoneMatch` names: R2 sends no body if it is that copy. */
export function readBucketUnless(bucket: R2Bucket, key: string, ifNoneMatch: string): Promise<Kept | Unread | null> {
  const [etag, ...others] = entityTags(ifNoneMatch);
  // The bucket compares with one; and what is no MD5 is none of ours.
  if (!etag || !/^[0-9a-f]{32}$/.test(etag) || others.length > 0) return readBucket(bucket, key);
  return attemptRead("r2", async () => {
    const object = await bucket.get(key, { onlyIf: { etagDoesNotMatch: etag } });
    if (!object || "body" in object) return object && keptOf(object);
    const contentType = object.httpMetadata?.contentType;
    if (!contentType) throw new Error("The object is not one of ours.");
    return { bytes: null, contentType, etag: object.httpEtag, storedAt: object.uploaded };
  });
}

async function keptOf(object: R2ObjectBody): Promise<Kept> {
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

/** Keys of thumbnails right below `prefix` with the ETag of the original that each was made from; it is "" if the source gave none. */
export async function listBucket(bucket: R2Bucket, prefix: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, delimiter: "/", include: ["customMetadata"], ...(cursor && { cursor }) });
    for (const { key, customMetadata } of page.objects) found.set(key, customMetadata?.[SOURCE_ETAG] ?? "");
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return found;
}

/** Removes thumbnails, or throws what R2 throws. */
export async function deleteBucket(bucket: Pick<R2Bucket, "delete">, keys: readonly string[]): Promise<void> {
  for (let i = 0; i < keys.length; i += KEYS_PER_CALL) await bucket.delete(keys.slice(i, i + KEYS_PER_CALL));
}
