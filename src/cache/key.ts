/** Names of cached thumbnails. */
import type { ModelCard } from "../downscaler/card.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import { canonicalOptions } from "../request/options.ts";
import { canonicalSource, type Source } from "../request/source.ts";
import { toHex } from "./hex.ts";

/** Raise it when the same model and options would give other bytes: a decoder, the resampler or an encoder changed. */
export const PIPELINE_VERSION = 1;

/** Where thumbnails live in their bucket. */
export const THUMBNAILS_PREFIX = "thumbnails/";

/** R2 allows keys of 1024 bytes; the rest is for the prefix, the digest and the extension. */
export const MAX_SOURCE_LENGTH = 800;

/**
 * The R2 key of a thumbnail: `thumbnails/<source>/<digest>.<format>`.
 *
 * The digest covers everything the bytes depend on: the whole source, the options, the downscaler and the pipeline. The
 * readable source in front lets an owner list or purge all thumbnails below a source prefix.
 */
export async function thumbnailKey(source: Source, spec: ThumbnailSpec, card: ModelCard): Promise<string> {
  const name = canonicalSource(source);
  const identity = [name, canonicalOptions({ ...spec }), card.sha256, `pipeline=${PIPELINE_VERSION}`].join("\n");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(identity));
  return `${thumbnailsOf(source).prefix}${toHex(digest)}.${spec.format}`;
}

/** Where all thumbnails of one source are, and whether a source with the same long beginning could have its there too. */
export function thumbnailsOf(source: Source): { prefix: string; isShared: boolean } {
  const name = canonicalSource(source);
  return {
    prefix: `${THUMBNAILS_PREFIX}${name.slice(0, MAX_SOURCE_LENGTH)}/`,
    isShared: name.length > MAX_SOURCE_LENGTH,
  };
}

/**
 * The `Cache-Tag` of a source's thumbnails, by which CDNs purge.
 *
 * @param key of one of them, or the prefix of all.
 */
export async function cacheTag(key: string): Promise<string> {
  const ofSource = key.slice(0, key.lastIndexOf("/") + 1);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ofSource));
  return `thumbnet-${toHex(digest).slice(0, 16)}`;
}
