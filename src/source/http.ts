/**
 * Originals over HTTP: every hop checked against the policy, every byte and second counted.
 *
 * Nothing of the client's request travels on: no cookies, no credentials, no forwarded headers.
 */
import { Problem } from "../errors.ts";
import type { Lease } from "../overload/budget.ts";
import { within } from "../overload/within.ts";
import { readBody } from "./body.ts";
import type { HostCheck } from "./dns.ts";
import { LOOP_HEADERS } from "./loop.ts";
import { checkUrl, type SourcePolicy } from "./policy.ts";

/** What HTTP says of an original's version; both texts come from the source and are clipped to their grammar. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** An original as read, or the source's word that the version asked about still stands. */
export type Original =
  | (Validators & { readonly status: "read"; readonly bytes: Uint8Array<ArrayBuffer> })
  | { readonly status: "not-modified" };

/** The part of `fetch` that is used, so that Worker, Node and tests each bring their own. */
export type Fetch = (
  url: string,
  init: { redirect: "manual"; headers: Record<string, string>; signal: AbortSignal },
) => Promise<Response>;

export interface FetchOptions {
  readonly fetch: Fetch;
  /** A look at the addresses of hosts that no rule spells out; see `dns.ts`. */
  readonly checkHost?: HostCheck | undefined;
  readonly validators?: Validators;
  readonly lease?: Lease | undefined;
}

const REQUEST_HEADERS = {
  "user-agent": "ThumbNet-Edge/0.1 (image thumbnails)",
  accept: "image/avif,image/webp,image/png,image/jpeg,image/gif;q=0.9,image/*;q=0.8",
  // Images do not compress, and an encoding is only a way to blow up: what comes encoded all the same is counted decoded.
  "accept-encoding": "identity",
  ...LOOP_HEADERS,
} as const;

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const MISSING: readonly number[] = [404, 410];
/** 403 is also what S3 answers for what is not there, unless the asker may list the bucket. */
const REFUSED: readonly number[] = [401, 403, 451];

/**
 * Fetches an original.
 *
 * @throws Problem `source-not-allowed` (any hop), `source-not-found` (404, 410), `source-refused` (401, 403, 451),
 *   `source-failed` (other statuses, network faults, too many redirects), `source-timeout`, `body-too-large`.
 */
export async function fetchHttp(
  url: string,
  policy: SourcePolicy,
  { fetch, checkHost, lease, validators = {} }: FetchOptions,
): Promise<Original> {
  const abort = new AbortController();
  const get = async (hop: URL, redirects: number) => {
    if (!checkUrl(hop, policy).spelledOut) await checkHost?.(hop.hostname, abort.signal);
    // Validators are of the URL that was asked for: the target of a redirect may have become another one.
    const headers = { ...REQUEST_HEADERS, ...(redirects === 0 ? conditions(validators) : {}) };
    return fetch(hop.href, { redirect: "manual", headers, signal: abort.signal });
  };
  try {
    const following = follow(new URL(url), policy.maxRedirects, get);
    const { response, redirects } = await within(policy.headerTimeoutMs, following, silent);
    const wasConditional = redirects === 0 && (validators.etag || validators.lastModified);
    if (response.status === 304 && wasConditional) return { status: "not-modified" };
    checkStatus(response.status);
    checkLength(response.headers, policy.maxBytes);
    const bytes = response.body
      ? await readBody(response.body, { maxBytes: policy.maxBytes, deadline: policy.bodyTimeoutMs, lease })
      : new Uint8Array();
    if (bytes.length === 0) throw new Problem("source-failed", "The source answered with an empty body.");
    return { status: "read", bytes, ...(redirects === 0 ? readValidators(response.headers) : {}) };
  } catch (error) {
    abort.abort();
    throw asProblem(error);
  }
}

async function follow(
  first: URL,
  maxRedirects: number,
  get: (url: URL, redirects: number) => Promise<Response>,
): Promise<{ response: Response; redirects: number }> {
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const response = await get(url, redirects);
    if (!REDIRECTS.includes(response.status)) return { response, redirects };
    response.body?.cancel().catch(() => {});
    if (redirects === maxRedirects) {
      throw new Problem("source-failed", `The source redirects more than ${maxRedirects} times.`);
    }
    const location = response.headers.get("location");
    const target = location ? URL.parse(location, url.href) : null;
    if (!target) throw new Problem("source-failed", "The source redirects to no valid place.");
    target.hash = "";
    url = target;
  }
}

const silent = () => new Problem("source-timeout", "The source did not answer in time.");

function checkStatus(status: number): void {
  if (MISSING.includes(status)) throw new Problem("source-not-found", `The source answered ${status}.`);
  if (REFUSED.includes(status)) throw new Problem("source-refused", `The source answered ${status}.`);
  if (status !== 200)
    throw new Problem("source-failed", `Expected the source to answer 200, but it answered ${status}.`);
}

/** An honest Content-Length saves reading; a lying one is found out while streaming. */
function checkLength(headers: Headers, maxBytes: number): void {
  const length = Number(headers.get("content-length"));
  if (length > maxBytes) {
    throw new Problem(
      "body-too-large",
      `Expected a file of at most ${maxBytes} bytes, but the source announces ${length}.`,
    );
  }
}

function conditions({ etag, lastModified }: Validators): Record<string, string> {
  return {
    ...(etag ? { "if-none-match": etag } : {}),
    ...(lastModified ? { "if-modified-since": lastModified } : {}),
  };
}

function readValidators(headers: Headers): Validators {
  const etag = headers.get("etag") ?? "";
  const lastModified = headers.get("last-modified") ?? "";
  return {
    ...(/^(W\/)?"[\x21\x23-\x7e]{0,128}"$/.test(etag) ? { etag } : {}),
    ...(/^[\w,: +-]{20,40}$/.test(lastModified) && Date.parse(lastModified) ? { lastModified } : {}),
  };
}

function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("source-failed", "The source could not be read.", error);
}
