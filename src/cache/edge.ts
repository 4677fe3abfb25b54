/** The fast tier: the Cache API of one data centre, in front of R2. */

import { type Answer, etagOf, type Kept } from "./answer.ts";
import { attemptRead, attemptWrite } from "./attempt.ts";
import { isNotModified } from "./conditional.ts";
import { cacheTag } from "./key.ts";

/** Entries live under an address of the service's own that no route serves. */
const edgeUrl = (address: string, key: string) => new URL(`${address}/.edge/${encodeURIComponent(key)}`).href;

/** The answer for a client that holds what `ifNoneMatch` names: its 304 costs no body. */
export function readEdge(
  cache: Cache,
  address: string,
  key: string,
  ifNoneMatch: string | null,
): Promise<Answer | null> {
  return attemptRead("edge", async () => {
    const response = await cache.match(edgeUrl(address, key));
    const etag = response?.headers.get("etag");
    const storedAt = response?.headers.get("x-stored-at");
    const contentType = response?.headers.get("content-type");
    if (!response?.body || !etag || !storedAt || !contentType) return null;
    const answer = { contentType, etag, storedAt: new Date(storedAt), from: "edge" } as const;
    if (isNotModified(ifNoneMatch, etag)) {
      await response.body.cancel();
      return { ...answer, body: null };
    }
    const body = new Uint8Array(await response.arrayBuffer());
    if ((await etagOf(body)) !== etag) throw new Error("The bytes do not fit their ETag.");
    return { ...answer, body };
  });
}

/** Keeps a copy for what is left of `maxAge` seconds since it was stored. Never rejects. */
export async function writeEdge(cache: Cache, address: string, key: string, kept: Kept, maxAge: number): Promise<void> {
  const left = maxAge - Math.floor((Date.now() - kept.storedAt.getTime()) / 1000);
  if (left <= 0) return;
  const headers = {
    "content-type": kept.contentType,
    "cache-control": `public, max-age=${left}`,
    etag: kept.etag,
    "x-stored-at": kept.storedAt.toISOString(),
    // In the other data centres, only a purge by tag reaches it.
    "cache-tag": await cacheTag(key),
  };
  await attemptWrite("edge", () => cache.put(edgeUrl(address, key), new Response(kept.bytes, { headers })));
}

/** Forgets the entry in this data centre; those in others end with their `max-age`. Never rejects. */
export function deleteEdge(cache: Cache, address: string, key: string): Promise<void> {
  return attemptWrite("edge", () => cache.delete(edgeUrl(address, key)));
}
