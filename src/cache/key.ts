/** Names of cached thumbnails. */
import type { ModelCard } from "../downscaler/card.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import { canonicalOptions } from "../request/options.ts";
import { canonicalSource, type Source } from "../request/source.ts";
import { toHex } from "./hex.ts";

/** Raise it when the same model and options would give other bytes: a decoder, the resampler or an encoder changed. */
export const PIPELINE_VERSION = 2;

/** Where thumbnails live in their bucket. */
export const THUMBNAILS_PREFIX = "thumbnails/";

/** R2 allows keys of 1024 bytes; the rest is for the prefix, the digest and the extension. */
export const MAX_SOURCE_LENGTH = 800;

/** The source with the whole key of its original: services that read below other prefixes may keep thumbnails in one bucket. */
export function absoluteSource(source: Source, originalsPrefix: string): Source {
  return source.kind === "r2" ? { kind: "r2", key: `${originalsPrefix}${source.key}` } : source;
}

/**
 * The R2 key of a thumbnail: `thumbnails/<source>/<digest>.<format>`.
 *
 * The digest covers everything the bytes depend on: the whole source, the options, the downscaler and the pipeline. The
 * readable source in front lets an owner list or purge all thumbnails below a source prefix.
 *
 * @param source absolute.
 */
export async function thumbnailKey(source: Source, spec: ThumbnailSpec, card: ModelCard): Promise<string> {
  const name = canonicalSource(source);
  const identity = [name, canonicalOptions({ ...spec }), card.sha256, `pipeline=${PIPELINE_VERSION}`].join("\n");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(identity));
  return `${thumbnailsOf(source).prefix}${toHex(digest)}.${spec.format}`;
}

/** Where all thumbnails of one (absolute) source are. */
export function thumbnailsOf(source: Source): ThumbnailsPlace {
  return placeOf(`${THUMBNAILS_PREFIX}${canonicalSource(source).slice(0, MAX_SOURCE_LENGTH)}/`);
}

export interface ThumbnailsPlace {
  readonly prefix: string;
  /** Whether a source with the same long beginning could have its thumbnails there too. */
  readonly isShared: boolean;
}

/** Where a thumbnail and all others of its source are. */
export function placeOf(key: string): ThumbnailsPlace {
  const prefix = key.slice(0, key.lastIndexOf("/") + 1);
  return { prefix, isShared: prefix.length > THUMBNAILS_PREFIX.length + MAX_SOURCE_LENGTH };
}

/**
 * The `Cache-Tag` of a source's thumbnails, by which CDNs purge.
 *
 * @param key of one of them, or the prefix of all.
 */
export async function cacheTag(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(placeOf(key).prefix));
  return `thumbnet-${toHex(digest).slice(0, 16)}`;
}
