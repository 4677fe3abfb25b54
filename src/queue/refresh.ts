/** Brings the thumbnails of one original into line with the bucket as it is now. Doing it again does nothing. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { keptNow } from "../cache/answer.ts";
import { listBucket, putBucket } from "../cache/bucket.ts";
import { thumbnailKey, thumbnailsOf } from "../cache/key.ts";
import { Problem } from "../errors.ts";
import type { Lease } from "../overload/budget.ts";
import { inTurn, withPhotoBytes } from "../overload/isolate.ts";
import { downscalerFor, makeThumbnail, type Runtime, type ThumbnailSpec } from "../pipeline.ts";
import type { SourcePolicy } from "../source/policy.ts";
import { type Originals, readR2 } from "../source/r2.ts";

export interface RefreshRoom {
  readonly runtime: Runtime;
  /** Thumbnails that every original shall have. */
  readonly specs: readonly ThumbnailSpec[];
  readonly originals: Originals;
  readonly originalsPrefix: string;
  readonly thumbnails: R2Bucket;
  readonly policy: SourcePolicy;
}

export interface Refreshed {
  readonly made: number;
  /** There already, of the same version of the original. */
  readonly kept: number;
  /** Of another version of the original, or of one that is gone; those that requests left there included. */
  readonly removed: number;
}

/**
 * Removes the thumbnails that are of no use any more and makes those that are missing.
 *
 * @param key as in `r2:` sources, without the prefix of the originals.
 * @param eTag the version that is said to be there now: if all thumbnails are of it, the original is not even read.
 * @throws Problem as `readR2` and `makeThumbnail` do, but not `source-not-found`; whatever R2 throws.
 */
export async function refresh(key: string, eTag: string | undefined, room: RefreshRoom): Promise<Refreshed> {
  const source = { kind: "r2", key } as const;
  const { runtime, specs, thumbnails } = room;
  const wanted = await Promise.all(
    specs.map(async (spec) => ({
      spec,
      at: await thumbnailKey(source, spec, downscalerFor(spec.size, runtime).card),
    })),
  );
  const { prefix, isShared } = thumbnailsOf(source);
  const versions = await listBucket(thumbnails, prefix);
  const isWanted = ({ at }: { at: string }, version: string) => versions.get(at) === version;
  // Under a name that sources share, the rest may be another's.
  const ours = Array.from(versions.keys()).filter((at) => !isShared || wanted.some((one) => one.at === at));
  const others = (version: string | null) => ours.filter((at) => versions.get(at) !== version);

  if (eTag !== undefined && wanted.every((one) => isWanted(one, `"${eTag}"`)) && others(`"${eTag}"`).length === 0) {
    return { made: 0, kept: wanted.length, removed: 0 };
  }
  return withPhotoBytes(async (lease) => {
    const original = await read(key, room, lease);
    const useless = others(original?.etag ?? null);
    // First, so that nothing outdated is left if this version turns out not to be an image.
    if (useless.length > 0) await thumbnails.delete(useless);
    if (!original?.etag) return { made: 0, kept: 0, removed: useless.length };
    const { bytes, etag } = original;
    const missing = wanted.filter((one) => !isWanted(one, etag));
    for (const { spec, at } of missing) {
      const thumbnail = await inTurn(() => makeThumbnail(bytes, spec, runtime));
      await putBucket(thumbnails, at, await keptNow(thumbnail, original));
    }
    return { made: missing.length, kept: wanted.length - missing.length, removed: useless.length };
  });
}

/** Null if there is no such original. */
async function read(key: string, { originals, originalsPrefix: prefix, policy }: RefreshRoom, lease: Lease) {
  try {
    const original = await readR2(key, { originals, prefix, policy, lease });
    if (original.status === "not-modified") throw new Error("An unconditional read has no bytes.");
    return original;
  } catch (error) {
    if (error instanceof Problem && error.code === "source-not-found") return null;
    throw error;
  }
}
