/**
 * Signed URLs: HMAC-SHA256 (RFC 2104) over the raw path and query, before anything else of the request is looked at.
 *
 * The options segment ends with `[,exp=<seconds since 1970>],sig=<key id>.<base64url of 32 bytes>`, and nothing else is a
 * signature. The signed text is the target as received without the `,sig=...`: method and host are not part of it (routes tell
 * methods apart, and one key may serve several hosts), the expiry is. There is one text for each target and one spelling of each
 * signature, so a URL that differs in any byte from the signed one fails. The one exception repairs what proxies do: a source's
 * `https:/` counts as the `https://` that it is parsed as.
 *
 * `src/client/sign.ts` is the other half; `test/vectors/signing.json` fixes both.
 */
import { Problem } from "../errors.ts";
import { fromBase64Url } from "./base64url.ts";

/** Secrets by key id. Several keys let clients move from one to the next. */
export type KeyRing = ReadonlyMap<string, string>;

export interface SigningPolicy {
  readonly keys: KeyRing;
  /** Whether targets without a signature are served; those with one are checked all the same. */
  readonly allowUnsigned: boolean;
}

/** RFC 2104 strongly discourages keys shorter than the hash's 32 bytes. */
export const MIN_SECRET_BYTES = 32;
export const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;

/** A target whose sender may ask for it. */
export interface Authorized {
  /** Path and query as they would be without signature and expiry. */
  readonly target: string;
  /** Until when answers may be kept, if the signature has an end. */
  readonly expiresAt?: Date;
}

/**
 * Options segment, expiry, key id, signature, rest. 32 bytes are 43 characters of base64url, whose last one carries 4 bits
 * and has 16 spellings, not 64: the other ones would decode to the same bytes.
 */
const SIGNED =
  /^(\/[a-z]+\/[^/?]+?)(,exp=(\d{1,12}))?,sig=([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])((?:[/?].*)?)$/s;

/** Path and query as received; `Request.url` is as raw as a Worker gets it. */
export function rawTarget(url: string): string {
  const slash = url.indexOf("/", url.indexOf("://") + 3);
  return slash < 0 ? "/" : url.slice(slash);
}

/**
 * Decides whether a target is served.
 *
 * @param now milliseconds since 1970. A signature is good while `now` is before its expiry.
 * @throws Problem `invalid-signature` (missing, malformed, unknown key or wrong, which are not told apart), `expired-signature`.
 */
export async function authorize(
  target: string,
  { keys, allowUnsigned }: SigningPolicy,
  now: number,
): Promise<Authorized> {
  const match = SIGNED.exec(unfoldSource(target));
  if (!match) {
    if (allowUnsigned) return { target };
    throw new Problem(
      "invalid-signature",
      `Expected a signed URL, whose options end with ",sig=<key id>.<signature>"${keys.size ? "" : "; this deployment has no SIGNING_KEYS, and ALLOW_UNSIGNED is not set"}.`,
    );
  }
  const [, options = "", expiry = "", seconds, keyId = "", signature = "", rest = ""] = match;
  if (!(await verify(keys.get(keyId), signature, `${options}${expiry}${rest}`))) {
    throw new Problem(
      "invalid-signature",
      "The signature does not fit the URL as it was received, or its key is not known.",
    );
  }
  if (seconds === undefined) return { target: `${options}${rest}` };
  const expiresAt = new Date(Number(seconds) * 1000);
  if (!(now < expiresAt.getTime())) {
    throw new Problem(
      "expired-signature",
      `The signed URL was good until ${new Date(Number(seconds) * 1000).toISOString()}.`,
    );
  }
  return { target: `${options}${rest}`, expiresAt };
}

/** `crypto.subtle.verify` compares in constant time. */
async function verify(secret: string | undefined, signature: string, text: string): Promise<boolean> {
  if (secret === undefined) return false;
  const encode = (value: string) => new TextEncoder().encode(value);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encode(secret), algorithm, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, fromBase64Url(signature), encode(text));
}

/** Undoes what path-normalising proxies do to the `//` of a source URL. */
function unfoldSource(target: string): string {
  return target.replace(/^(\/[a-z]+\/[^/?]+\/https?:)\/(?!\/)/i, "$1//");
}
