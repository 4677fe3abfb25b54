/** HTTP answers: thumbnails and problems. */
import { type Answer, wholeAge } from "./cache/answer.ts";
import type { Problem } from "./errors.ts";

/** For how long caches may keep an answer. */
export interface Lifetime {
  /** Seconds; 0 for what no cache may keep. */
  readonly maxAge: number;
  /** Seconds that the signature takes off it. */
  readonly cut: number;
}

/**
 * The `Age` of an answer, less what its `max-age` was cut by: caches subtract the one from the other, and nothing would be left. A
 * `max-age` with the age added would be the same to them, but some (nginx) do not look at `Age` and would outlive the signature.
 */
export function ageHeader(storedAt: Date, cut: number): string {
  return String(Math.max(0, wholeAge(storedAt) - cut));
}

export interface Delivery extends Lifetime {
  /** Whether `Accept` had a say. */
  readonly negotiated: boolean;
  /** Of the file's name, if someone saves it. */
  readonly extension: string;
  /** For purging at a CDN in front; Cloudflare takes it off before the client sees it. */
  readonly cacheTag?: string;
}

/** RFC 9211, by which a stale copy that bridges a failing source is no hit: the source was asked first. */
function cacheStatus({ from, stale }: Answer): string {
  const found = stale ? "fwd=stale" : from === "computed" ? "fwd=miss" : "hit";
  return `thumbnet-edge; ${found}${from === "computed" ? "" : `; detail=${from}`}`;
}

/** 200 with the thumbnail, or 304 if the client has it. */
export function respondThumbnail(answer: Answer, { maxAge, cut, negotiated, extension, cacheTag }: Delivery): Response {
  const headers = new Headers({
    etag: answer.etag,
    "cache-control": maxAge > 0 ? `public, max-age=${maxAge}` : "no-store",
    "cache-status": cacheStatus(answer),
  });
  if (answer.from !== "computed") {
    headers.set("age", ageHeader(answer.storedAt, cut));
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
