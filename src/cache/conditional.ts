/** Conditional requests, RFC 9110, section 13. */

const ENTITY_TAG = /(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

/** The opaque tags of an `If-None-Match`, without quotes; none of `*`. */
export function entityTags(ifNoneMatch: string | null): string[] {
  return Array.from((ifNoneMatch ?? "").matchAll(ENTITY_TAG), ([, tag = ""]) => tag);
}

/** Whether the client holds the representation with this (quoted) ETag, by the weak comparison; `*` is any that there is. */
export function isNotModified(ifNoneMatch: string | null, etag: string): boolean {
  return ifNoneMatch?.trim() === "*" || entityTags(ifNoneMatch).some((tag) => `"${tag}"` === etag);
}
