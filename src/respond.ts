/** HTTP answers: thumbnails and problems. */
import { type Answer, wholeAge } from "./cache/answer.ts";
import type { Problem } from "./errors.ts";

export interface Delivery {
  /** Seconds; 0 for what no cache may keep. */
  readonly maxAge: number;
  /** Whether `Accept` had a say. */
  readonly negotiated: boolean;
  /** Of the file's name, if someone saves it. */
  readonly extension: string;
  /** For purging at a CDN in front; Cloudflare takes it off before the client sees it. */
  readonly cacheTag?: string;
}

/** 200 with the thumbnail, or 304 if the client has it. `Cache-Status` is that of RFC 9211. */
export function respondThumbnail(answer: Answer, { maxAge, negotiated, extension, cacheTag }: Delivery): Response {
  const headers = new Headers({
    etag: answer.etag,
    "cache-control": maxAge > 0 ? `public, max-age=${maxAge}` : "no-store",
    "cache-status": `thumbnet-edge; ${answer.from === "computed" ? "fwd=miss" : `hit; detail=${answer.from}`}`,
  });
  if (answer.from !== "computed") {
    headers.set("age", String(wholeAge(answer.storedAt)));
  }
  if (negotiated) headers.set("vary", "accept");
  if (cacheTag !== undefined) headers.set("cache-tag", cacheTag);
  if (answer.body === null) return new Response(null, { status: 304, headers });
  headers.set("content-type", answer.contentType);
  headers.set("content-disposition", `inline; filename="thumbnail.${extension}"`);
  headers.set("content-length", String(answer.body.length));
  return new Response(answer.body, { headers });
}

/** RFC 9457; never cached by clients, so that a source that recovers is seen at once. `mount` is where the service is. */
export function respondProblem(problem: Problem, mount: string): Response {
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (problem.row.retryAfter) headers.set("retry-after", String(problem.row.retryAfter));
  if (problem.code === "unauthorized") headers.set("www-authenticate", 'Bearer realm="thumbnet-edge"');
  return new Response(JSON.stringify(problem.toJSON(mount)), { status: problem.status, headers });
}
