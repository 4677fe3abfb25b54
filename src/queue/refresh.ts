/** Brings the thumbnails of one original into line with the bucket as it is now. Doing it again does nothing. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { keptNow } from "../cache/answer.ts";
import { deleteBucket, listBucket, putBucket } from "../cache/bucket.ts";
import { absoluteSource, thumbnailKey, thumbnailsOf } from "../cache/key.ts";
import { inTurn, withPhotoBytes } from "../overload/isolate.ts";
import { downscalerFor, makeThumbnail, type Runtime, type ThumbnailSpec } from "../pipeline.ts";
import type { SourcePolicy } from "../source/policy.ts";
import { readR2, type VersionedOriginals, versionOf } from "../source/r2.ts";

export interface RefreshRoom {
  readonly runtime: Runtime;
  /** Thumbnails that every original shall have. */
  readonly specs: readonly ThumbnailSpec[];
  readonly originals: VersionedOriginals;
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
 * @throws Problem as `readR2` and `makeThumbnail` do; Error if the original changes meanwhile; whatever R2 throws.
 */
export async function refresh(key: string, room: RefreshRoom): Promise<Refreshed> {
  const source = absoluteSource({ kind: "r2", key }, room.originalsPrefix);
  const { runtime, specs, thumbnails } = room;
  const wanted = await Promise.all(
    specs.map(async (spec) => ({
      spec,
      at: await thumbnailKey(source, spec, downscalerFor(spec.size, runtime).card),
    })),
  );
  const { prefix, isShared } = thumbnailsOf(source);
  const versions = await listBucket(thumbnails, prefix);
  const version = await versionOf(key, room);
  // Under a name that sources share, the rest may be another's.
  const ours = Array.from(versions.keys()).filter((at) => !isShared || wanted.some((one) => one.at === at));
  const useless = ours.filter((at) => versions.get(at) !== version);
  // First, so that nothing outdated is left if this version turns out not to be an image, or too large a one.
  await deleteBucket(thumbnails, useless);
  const missing = wanted.filter(({ at }) => versions.get(at) !== version);
  if (version !== undefined && missing.length > 0) await make(missing, key, version, room);
  const made = version === undefined ? 0 : missing.length;
  return { made, kept: wanted.length - missing.length, removed: useless.length };
}

interface Wanted {
  readonly spec: ThumbnailSpec;
  /** Its key. */
  readonly at: string;
}

async function make(missing: readonly Wanted[], key: string, version: string, room: RefreshRoom): Promise<void> {
  const { originals, originalsPrefix: prefix, policy, runtime, thumbnails } = room;
  await withPhotoBytes(async (lease) => {
    const original = await readR2(key, { originals, prefix, policy, lease });
    if (original.status === "not-modified" || original.etag !== version) throw overtaken();
    for (const { spec, at } of missing) {
      const thumbnail = await inTurn(original.bytes, lease, () => makeThumbnail(original.bytes, spec, runtime));
      await putBucket(thumbnails, at, await keptNow(thumbnail, original));
    }
  });
  // A consumer beside this one may have made a newer version's before these were written over them: whoever writes last looks
  // last, and is called again.
  if ((await versionOf(key, room)) !== version) throw overtaken();
}

const overtaken = () => new Error("The original changed while its thumbnails were made.");
