/**
 * The source segment of the URL contract: everything after the options.
 *
 * Three forms: an absolute http(s) URL as it stands (its own query included) or percent-encoded as a whole, `b64:` + base64url
 * of such a URL for clients that re-encode paths, and `r2:<key>` for an original in the owner's bucket.
 */
import { Problem } from "../errors.ts";
import { fromBase64Url } from "./base64url.ts";

/** Where an original comes from. `url` is in WHATWG canonical form; `key` is the decoded R2 key. */
export type Source = { readonly kind: "http"; readonly url: string } | { readonly kind: "r2"; readonly key: string };

/** R2 allows keys of at most 1024 bytes; URLs share the bound that CDNs and browsers commonly keep. */
const MAX_KEY_BYTES = 1024;
const MAX_URL_LENGTH = 2048;

/**
 * Parses the raw (still percent-encoded) source segment.
 *
 * @throws Problem `invalid-source`, naming the three forms that are understood.
 */
export function parseSource(segment: string): Source {
  // Generated clients encode the colon as well.
  const raw = segment.replace(/^(r2|b64)%3A/i, "$1:");
  if (raw.startsWith("r2:")) return { kind: "r2", key: parseKey(raw.slice("r2:".length)) };
  if (raw.startsWith("b64:")) return { kind: "http", url: parseUrl(decodeBase64Url(raw.slice("b64:".length))) };
  return { kind: "http", url: parseUrl(/^https?%3A/i.test(raw) ? decodePercent(raw) : raw) };
}

/** One text per source: the part of the cache key that names the original. */
export function canonicalSource(source: Source): string {
  return source.kind === "http" ? source.url : `r2:${encodeURIComponent(source.key)}`;
}

function parseUrl(text: string): string {
  // Proxies and browsers like to fold the two slashes of a URL inside a path into one.
  const unfolded = text.replace(/^(https?):\/(?!\/)/i, "$1://");
  if (!/^https?:\/\//i.test(unfolded)) {
    throw new Problem(
      "invalid-source",
      `Expected an absolute http(s) URL, "b64:<base64url of a URL>" or "r2:<key>" as the source, but got "${shorten(text)}".`,
    );
  }
  const url = URL.parse(unfolded);
  if (!url) throw new Problem("invalid-source", `Expected a valid source URL, but got "${shorten(text)}".`);
  if (url.username || url.password) {
    throw new Problem("invalid-source", "Expected a source URL without user name and password.");
  }
  url.hash = "";
  // Of the text that is kept and sent: percent-encoding makes up to nine characters of one.
  if (url.href.length > MAX_URL_LENGTH) {
    throw new Problem(
      "invalid-source",
      `Expected a source URL of at most ${MAX_URL_LENGTH} characters, but got ${url.href.length}.`,
    );
  }
  return url.href;
}

function parseKey(raw: string): string {
  const key = decodePercent(raw);
  // A text of JSON can have half of a surrogate pair, of which there is no UTF-8.
  if (!key.isWellFormed()) throw new Problem("invalid-source", "Expected an R2 key of well-formed Unicode.");
  const bytes = new TextEncoder().encode(key).length;
  if (bytes === 0 || bytes > MAX_KEY_BYTES) {
    throw new Problem("invalid-source", `Expected an R2 key of 1 to ${MAX_KEY_BYTES} bytes, but got ${bytes}.`);
  }
  return key;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem("invalid-source", "The percent-encoding of the source is broken.");
  }
}

function decodeBase64Url(text: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fromBase64Url(text));
  } catch {
    throw new Problem("invalid-source", `Expected base64url (RFC 4648, section 5) of a URL after "b64:".`);
  }
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
