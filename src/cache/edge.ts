/** The fast tier: the Cache API of one data centre, in front of R2. */
import type { Answer } from "./answer.ts";
import { isNotModified } from "./conditional.ts";

/** Entries live under an address of the Worker's own host that no route serves. */
const edgeUrl = (host: string, key: string) => new URL(`/.edge/${encodeURIComponent(key)}`, host).href;

export async function readEdge(
  cache: Cache,
  host: string,
  key: string,
  ifNoneMatch: string | null,
): Promise<Answer | null> {
  const response = await cache.match(edgeUrl(host, key));
  const etag = response?.headers.get("etag");
  const storedAt = response?.headers.get("x-stored-at");
  if (!response?.body || !etag || !storedAt) return null;
  const notModified = isNotModified(ifNoneMatch, etag);
  if (notModified) await response.body.cancel();
  return {
    body: notModified ? null : response.body,
    contentType: response.headers.get("content-type") ?? "application/octet-stream",
    etag,
    storedAt: new Date(storedAt),
    from: "edge",
  };
}

/** Keeps a copy for what is left of `maxAge` seconds since it was stored. */
export async function writeEdge(
  cache: Cache,
  host: string,
  key: string,
  bytes: Uint8Array | ArrayBuffer,
  answer: Pick<Answer, "contentType" | "etag" | "storedAt">,
  maxAge: number,
): Promise<void> {
  const left = maxAge - Math.floor((Date.now() - answer.storedAt.getTime()) / 1000);
  if (left <= 0) return;
  const headers = {
    "content-type": answer.contentType,
    "cache-control": `public, max-age=${left}`,
    etag: answer.etag,
    "x-stored-at": answer.storedAt.toISOString(),
  };
  await cache.put(edgeUrl(host, key), new Response(bytes, { headers }));
}
