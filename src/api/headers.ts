/** The headers of the service's answers, for its description. Those of every HTTP server, and of security, are left out. */
import { PROBLEMS } from "../errors.ts";

interface Header {
  readonly description: string;
  readonly schema: object;
}

const text = { type: "string" };
const seconds = { type: "integer", minimum: 0 };
const cacheTag = { type: "string", pattern: "^thumbnet-[0-9a-f]{16}$" };

export const HEADERS = {
  "X-Request-Id": { description: "Names the request in the service's log.", schema: text },
  "Cache-Control": {
    description: "For how long the answer may be kept: never past the end of a signature.",
    schema: { type: "string", pattern: "^(no-store|public, max-age=[1-9]\\d*)$" },
  },
  ETag: { description: "Strong; names the very bytes.", schema: { type: "string", pattern: '^"[0-9a-f]{32}"$' } },
  Age: { description: "Seconds since it was known to be that of the source.", schema: seconds },
  "Cache-Status": { description: "Which of the service's caches had it (RFC 9211).", schema: text },
  "Cache-Tag": {
    description:
      "Names the source, for purging at a CDN in front. Cloudflare's own takes it off before the client sees it.",
    schema: cacheTag,
  },
  "X-Cache-Tag": {
    description: "The `Cache-Tag` of the source's thumbnails.",
    schema: cacheTag,
  },
  Vary: { description: "`accept` with `format=auto`.", schema: text },
  "Content-Disposition": { description: "A name for the file.", schema: text },
  "Server-Timing": { description: "Milliseconds of each step.", schema: text },
  "Retry-After": { description: "Seconds after which another attempt makes sense.", schema: seconds },
  "WWW-Authenticate": { description: "How to send the owner's key (RFC 6750).", schema: text },
  Allow: { description: "The methods that the path takes.", schema: text },
} as const satisfies Record<string, Header>;

export type HeaderName = keyof typeof HEADERS;

type References = Readonly<Record<string, { readonly $ref: string }>>;

/** An answer's headers, of which each has the name of its request. */
export function headersOf(...names: readonly HeaderName[]): References {
  const all: HeaderName[] = ["X-Request-Id", ...names];
  return Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Of the refusals with this status. */
export function headersOfRefusal(status: number): References {
  const rows: readonly { status: number; retryAfter?: number }[] = Object.values(PROBLEMS);
  const isForLater = rows.some((row) => row.status === status && row.retryAfter !== undefined);
  return headersOf(
    "Cache-Control",
    "Server-Timing",
    ...(isForLater ? (["Retry-After"] as const) : []),
    ...(status === PROBLEMS.unauthorized.status ? (["WWW-Authenticate"] as const) : []),
    ...(status === PROBLEMS["method-not-allowed"].status ? (["Allow"] as const) : []),
  );
}
