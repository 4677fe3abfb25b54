/** What is in the buckets when a benchmark begins: one photo under many names, and its thumbnail under each of them. */
import { thumbnailKey } from "../../src/cache/key.ts";
import { downscalerFor, makeThumbnail } from "../../src/pipeline.ts";
import { parseSource } from "../../src/request/source.ts";
import { parseThumbnailGet } from "../../src/request/thumbnail.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { PHOTOS } from "../photos.ts";
import type { RunningWorker } from "./bundle.ts";

const [first] = PHOTOS;
if (first === undefined) throw new Error("There are no photos.");

/** A JPEG of 2 megapixels. */
export const ORIGINAL = first;

/**
 * Puts originals `photo` and `miss-<n>`, and thumbnails with default options of `hit-<n>`, whose originals nobody asks for.
 *
 * @returns the thumbnail's ETag and, by n, the keys of the thumbnails.
 */
export async function fillBuckets(
  { miniflare }: RunningWorker,
  photo: Uint8Array<ArrayBuffer>,
  { hits, misses }: { hits: number; misses: number },
): Promise<{ etag: string; keys: string[] }> {
  const runtime = await nodeRuntime();
  const { spec } = parseThumbnailGet({ target: "/thumbnail/_/r2:photo", accept: null }, {});
  const { bytes, contentType } = await makeThumbnail(photo, spec, runtime);
  const { card } = downscalerFor(spec.size, runtime);
  const [thumbnails, originals] = [await miniflare.getR2Bucket("THUMBNAILS"), await miniflare.getR2Bucket("ORIGINALS")];
  const keys = await Promise.all(
    Array.from({ length: hits }, (_, n) => thumbnailKey(parseSource(`r2:hit-${n}`), spec, card)),
  );
  let etag = "";
  for (const key of keys) etag = (await thumbnails.put(key, bytes, { httpMetadata: { contentType } })).httpEtag;
  await originals.put("photo", photo);
  for (let n = 0; n < misses; n++) await originals.put(`miss-${n}`, photo);
  return { etag, keys };
}
