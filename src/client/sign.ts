/**
 * Signs URLs of the service. No dependencies: runs in browsers, Node, Deno and Workers alike.
 *
 * The signature is HMAC-SHA256 (RFC 2104) over the path and query exactly as they are sent, taken before the signature is
 * put in; base64url (RFC 4648, section 5) without padding. It goes to the end of the options:
 *
 *     signed text    /thumbnail/size=56,exp=1767225600/https://images.example.com/photo.jpg
 *     sent           /thumbnail/size=56,exp=1767225600,sig=web-1.<43 characters>/https://images.example.com/photo.jpg
 */

/** One key of the service's ring. */
export interface SigningKey {
  /** Letters, digits, "-" and "_". */
  readonly id: string;
  /** The text shared with the service. */
  readonly secret: string;
}

/** Route and options, then the end, a query or the source. */
const TARGET = /^(\/[a-z]+\/[^/?]+)(.*)$/s;

/**
 * Signs a path.
 *
 * @param path of an unsigned request, query included: `/thumbnail/<options>/<source>`, with `_` for no options. It is first
 *   brought into the form in which `fetch` sends it (percent-encoding of spaces and non-ASCII characters, dot segments).
 * @param expires the moment from which the URL is no longer served; without one it has no end but the key's.
 * @returns the path to send.
 * @throws TypeError if the path has no options segment or is signed already, or the expiry is no date that fits into a URL.
 * @example await signPath("/thumbnail/size=56/https://example.com/a.jpg", { id: "web-1", secret }, new Date("2027-01-01"))
 */
export async function signPath(path: string, key: SigningKey, expires?: Date): Promise<string> {
  const { pathname, search } = new URL(path, "https://localhost");
  const [, options, rest] = TARGET.exec(`${pathname}${search}`) ?? [];
  if (options === undefined || rest === undefined || /[/,](exp|sig)=/.test(options)) {
    throw new TypeError(`Expected an unsigned path like "/thumbnail/<options>/<source>", but got "${path}".`);
  }
  const exp = expires === undefined ? "" : `,exp=${Math.floor(expires.getTime() / 1000)}`;
  // What the service reads: an invalid date, or one in another unit, would sign a URL that it refuses.
  if (!/^(,exp=\d{1,12})?$/.test(exp)) throw new TypeError(`Expected a date as the expiry, but got ${expires}.`);
  const signature = await hmac(key.secret, `${options}${exp}${rest}`);
  return `${options}${exp},sig=${key.id}.${signature}${rest}`;
}

async function hmac(secret: string, text: string): Promise<string> {
  const encode = (value: string) => new TextEncoder().encode(value);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encode(secret), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(mac)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
