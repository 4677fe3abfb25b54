/** What each type of problem means and what to do about it, for the page at its address. */
import type { ProblemCode } from "../errors.ts";

export interface Explanation {
  /** What happened. */
  readonly meaning: string;
  /** What the caller or the owner can do. */
  readonly remedy: string;
}

export const EXPLANATIONS: Readonly<Record<ProblemCode, Explanation>> = {
  "invalid-options": {
    meaning:
      "A name or value between /thumbnail/ (or /classify/) and the next slash is not one that the service knows.",
    remedy:
      "Compare the options with the table in the README; detail names each one that does not fit and what is expected.",
  },
  "invalid-source": {
    meaning:
      "What follows the options is neither an http(s) URL, nor b64: with a URL in base64url, nor r2: with a key.",
    remedy: "Put the whole URL of the original after the options; where proxies rewrite paths, send it as b64:.",
  },
  "invalid-request": {
    meaning: "The body or query is not what this route reads.",
    remedy: "Compare it with the route's description in /openapi.json; detail names the place of each fault.",
  },
  unauthorized: {
    meaning: "The request changes something and came without the owner's bearer token, or with a wrong one.",
    remedy:
      'Send "Authorization: Bearer" with the value of OWNER_KEY. A deployment without OWNER_KEY takes no such requests.',
  },
  "invalid-signature": {
    meaning: "The service serves signed URLs only, and this one has no signature or one that does not fit its text.",
    remedy:
      'Sign the path and query exactly as they are sent, with a key of SIGNING_KEYS; "thumbnet-edge verify" says what differs.',
  },
  "expired-signature": {
    meaning: "The signature was right, and its time is over.",
    remedy: "Ask whoever made the URL for a new one, or sign with a later exp.",
  },
  "source-not-allowed": {
    meaning:
      "The source's host, one that it redirects to, or the bucket is none that this deployment reads originals from.",
    remedy: "The owner can add the host to SOURCE_HOSTS. Addresses of private networks are never read.",
  },
  "not-found": {
    meaning: "No route of the service is spelled like this path.",
    remedy: "See /openapi.json for every route; paths are case-sensitive and are compared as sent.",
  },
  "source-not-found": {
    meaning: "The source answered that it has no such image, or the bucket has no such key.",
    remedy:
      "Check the source's address. The answer is remembered for a moment (FAILURE_MAX_AGE), so a new upload may take that long to be seen.",
  },
  "method-not-allowed": {
    meaning: "The path exists, but not for this method.",
    remedy: "Use one of the methods in the Allow header.",
  },
  "request-timeout": {
    meaning: "The body did not arrive within the time that the service waits.",
    remedy:
      "Send it again over a better connection, or send a smaller image: a thumbnail made on the device has some kilobytes.",
  },
  "body-too-large": {
    meaning: "The file, from the source or in the request, has more bytes than the service reads.",
    remedy: "Send a smaller file; the owner can raise MAX_IMAGE_BYTES, to 24 MB at most.",
  },
  "image-too-large": {
    meaning:
      "The header announces more pixels, or a longer side, than can be decoded within the isolate's memory, or its decoder ran out of it.",
    remedy: "Send the image at a smaller size; the answer's detail says which limit it exceeds.",
  },
  "unsupported-format": {
    meaning: "The first bytes are not those of a JPEG, PNG, WebP, GIF or AVIF file.",
    remedy: "Convert the image; a name or Content-Type is not looked at.",
  },
  "undecodable-image": {
    meaning: "The file begins like an image and is damaged, cut off, or uses a feature that the decoder does not have.",
    remedy: "Open and save it with an image editor, or upload it again: most such files are incomplete.",
  },
  "rate-limited": {
    meaning:
      "This address has caused more work than one client may in a minute. Answers from the cache are not counted.",
    remedy: "Wait for the seconds in Retry-After; the owner can change the limit in wrangler.toml.",
  },
  "internal-error": {
    meaning: "Something failed that the service did not expect.",
    remedy: "Try again; if it stays, give the owner the X-Request-Id of the answer, which names it in the log.",
  },
  "source-failed": {
    meaning: "The source's server could not be reached, answered with an error, or redirected too often.",
    remedy: "Open the source's address yourself; the service sends no cookies or credentials with its requests.",
  },
  "source-refused": {
    meaning: "The source's server answered 401, 403 or 451: the image is not, or no longer, for everyone.",
    remedy: "Open the source's address without being logged in; the service sends no cookies or credentials.",
  },
  "origin-failed": {
    meaning: "The inference server could not be reached, failed, or has a model that is not the one the service knows.",
    remedy: `The owner finds the cause in the log; "thumbnet-edge doctor" compares the server's models with the cards.`,
  },
  "queue-failed": {
    meaning: "Cloudflare Queues did not take the keys of this page.",
    remedy: "Ask for the same page again; keys that come twice do no work twice.",
  },
  overloaded: {
    meaning: "More images are being worked on than the isolate has room for.",
    remedy: "Wait for the seconds in Retry-After and ask again.",
  },
  "queue-missing": {
    meaning: "The deployment has no queue to put originals on.",
    remedy: "The owner can add the queue to wrangler.toml, bound as CHANGES (docs/deployment.md).",
  },
  "origin-missing": {
    meaning: "Classification needs a server of the Open Inference Protocol, and this deployment names none.",
    remedy: "The owner can start one (docs/origin.md) and name it in ORIGINS; thumbnails work without.",
  },
  "origin-overloaded": {
    meaning: "Every inference server said that it has too much to do, and further attempts did not help.",
    remedy: "Wait for the seconds in Retry-After and ask again; the owner can add servers to ORIGINS.",
  },
  "source-timeout": {
    meaning: "The source's server did not answer, or did not send the whole image, in the time that the service waits.",
    remedy: "Ask again in a moment; if it stays, the source's server is too slow.",
  },
  "origin-timeout": {
    meaning: "No inference server gave an answer within ORIGIN_TIMEOUT_MS.",
    remedy: "Ask again in a moment; the owner can raise ORIGIN_TIMEOUT_MS or add servers to ORIGINS.",
  },
  "loop-detected": {
    meaning: "The request comes from the service's own fetch of a source, so that the source leads back to it.",
    remedy: "Give the address of the original itself; the owner names further hosts of the service in SELF_HOSTS.",
  },
};
