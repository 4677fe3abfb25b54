/** A POST's body: an image, or the list of a batch. */
import { Problem } from "../errors.ts";
import type { Lease } from "../overload/budget.ts";
import { readBody } from "../source/body.ts";

/** For a phone's photo over a poor connection; a sender that only holds memory is cut off. `overload/isolate.ts` counts on it. */
const POST_TIMEOUT_MS = 60_000;

/**
 * Reads the body while counting it; a Content-Length over the limit is refused unread.
 *
 * @throws Problem `body-too-large`, `invalid-request` if there is no body, `request-timeout`.
 */
export async function readPost(request: Request, maxBytes: number, lease?: Lease): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get("content-length"));
  if (announced > maxBytes) {
    throw new Problem(
      "body-too-large",
      `Expected a body of at most ${maxBytes} bytes, but ${announced} are announced.`,
    );
  }
  const bytes = request.body
    ? await readBody(request.body, { maxBytes, lease, deadline: POST_TIMEOUT_MS, late: tooSlow })
    : new Uint8Array();
  if (bytes.length === 0) throw new Problem("invalid-request", "Expected a body, but it is empty.");
  return bytes;
}

const tooSlow = () => new Problem("request-timeout", `Expected the whole body within ${POST_TIMEOUT_MS / 1000} s.`);
