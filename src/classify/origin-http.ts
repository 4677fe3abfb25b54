/** One exchange with an origin: the request goes out with a time limit, the answer is read whole within a size limit. */
import { readBody } from "../source/body.ts";
import { OriginError } from "./origin-error.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface OriginAddress {
  /** Base of the protocol's paths, e.g. `https://gpu.example.com`. */
  readonly url: string;
  /** The whole Authorization header, e.g. `Bearer ...`. */
  readonly authorization?: string | undefined;
}

export interface OriginReply {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Metadata and error messages are small; answers of batches say themselves how large they may be. */
const MAX_TEXT_BYTES = 64 * 1024;

/** Ten logits are 40 bytes: packing them would cost the origin more than it saves, and Triton packs all it may. */
const IDENTITY = { "accept-encoding": "identity" };

export interface Exchange {
  readonly path: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
}

/**
 * @throws OriginError for everything but a 200 with a body within its limit. A redirect is a fault: the origin is configured,
 *   and its credentials are for nobody else.
 */
export async function exchange(
  fetch: Fetch,
  { url, authorization }: OriginAddress,
  asked: Exchange,
): Promise<OriginReply> {
  const { path, body, headers, maxBytes = MAX_TEXT_BYTES, signal } = asked;
  const response = await send(() =>
    fetch(`${url.replace(/\/+$/, "")}${path}`, {
      method: body ? "POST" : "GET",
      headers: { ...headers, ...IDENTITY, ...(authorization !== undefined && { authorization }) },
      body: body ?? null,
      redirect: "manual",
      signal,
    }),
  );
  const read = () => (response.body ? readBody(response.body, { maxBytes }) : Promise.resolve(new Uint8Array()));
  if (response.status === 200) return { headers: response.headers, body: await send(read) };
  // What an error says is for the log: a page of any length, or without end, takes nothing from its status.
  throw statusError(response.status, await read().catch(() => new Uint8Array()));
}

/** Runs a step and says what went wrong with the connection. */
async function send<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof Error && (cause.name === "TimeoutError" || cause.name === "AbortError")) {
      throw new OriginError("timeout", "The inference origin did not answer in time.", cause);
    }
    if (cause instanceof Error && cause.name === "Problem") {
      throw new OriginError("broken", "The inference origin's answer is too large.", cause);
    }
    throw new OriginError("unreachable", "The inference origin cannot be reached.", cause);
  }
}

/**
 * Triton sends some of its JSON errors as text/plain, so the content type does not matter; the text is for the log alone. 502, and
 * Cloudflare's 520 to 530, are of a proxy or tunnel before an origin that is away.
 */
function statusError(status: number, body: Uint8Array): OriginError {
  const cause = new Error(`Status ${status}: ${new TextDecoder().decode(body.subarray(0, 500))}`);
  if (status === 503 || status === 429) return new OriginError("overloaded", "The inference origin is busy.", cause);
  if (status === 404) return new OriginError("wrong-model", "The inference origin does not have the model.", cause);
  if (status === 504 || status === 408) {
    return new OriginError("timeout", "The inference origin did not answer in time.", cause);
  }
  if (status === 502 || (status >= 520 && status <= 530)) {
    return new OriginError("unreachable", "The inference origin cannot be reached.", cause);
  }
  return new OriginError("broken", `The inference origin answered with status ${status}.`, cause);
}
