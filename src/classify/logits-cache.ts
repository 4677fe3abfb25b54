/** Logits in the same tiers as thumbnails, by what they depend on: the thumbnail's bytes and the student's file. */
import { type CacheTiers, cached } from "../cache/cached.ts";
import { decodeNpy } from "../imaging/npy.ts";
import type { NamedThumbnail } from "./classify.ts";
import type { Student } from "./student.ts";

/** Where logits live in the bucket of thumbnails. */
export const LOGITS_PREFIX = "logits/";

/** Seconds. A year, the longest that caches take: what has another reason to change has another key. */
const MAX_AGE = 31_536_000;

/** The logits of one image, uint8 [side, side, 3]. */
export type Infer = (pixels: Uint8Array, student: Student) => Promise<Float32Array>;

/** Asks `infer` only for what no tier has. Kept as little-endian float32. */
export async function cachedLogits(
  { npy, sha256 }: NamedThumbnail,
  student: Student,
  tiers: CacheTiers,
  infer: Infer,
): Promise<Float32Array> {
  const key = `${LOGITS_PREFIX}${sha256}/${student.card.sha256}.f32`;
  const { body } = await cached(key, null, { ...tiers, maxAge: MAX_AGE }, async () => {
    const logits = await infer(decodeNpy(npy).data, student);
    return {
      thumbnail: {
        bytes: new Uint8Array(logits.slice().buffer),
        contentType: "application/octet-stream",
      },
      validators: {},
    };
  });
  if (body?.length !== 4 * student.labels.length)
    throw new Error(`The kept logits ${key} are not those of ${student.card.name}.`);
  return new Float32Array(body.slice().buffer);
}
