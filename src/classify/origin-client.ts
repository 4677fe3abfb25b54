/** Speaks the Open Inference Protocol with one origin: metadata once, then inferences, each held against the model's card. */
import type { ModelCard } from "../downscaler/card.ts";
import { float32Values, type Tensor } from "../oip/datatypes.ts";
import { ProtocolError } from "../oip/error.ts";
import { HEADER_LENGTH } from "../oip/framing.ts";
import { encodeInferRequest, parseInferResponse, tensorNamed } from "../oip/infer.ts";
import { modelMetadata, parseMessage, serverMetadata } from "../oip/messages.ts";
import { checkMetadata } from "./model-check.ts";
import { OriginError } from "./origin-error.ts";
import { exchange, type Fetch, type OriginAddress } from "./origin-http.ts";

export interface OriginClient {
  readonly url: string;
  /**
   * @param batch as many images as the origin takes at once: uint8 [rows, side, side, 3].
   * @returns the logits, rows * classes.
   * @throws OriginError
   */
  infer(card: ModelCard, batch: Uint8Array, rows: number, signal: AbortSignal): Promise<Float32Array>;
}

export interface OriginClientOptions {
  readonly fetch: Fetch;
  readonly now: () => number;
  /** For how long metadata is believed: an origin may be given another model, or be replaced by another server. */
  readonly metadataTtlMs: number;
}

/** A logit in JSON takes up to 25 characters; the rest is the message around them, generously. */
const BYTES_PER_LOGIT = 32;
const MESSAGE_BYTES = 16 * 1024;

export function createOriginClient(address: OriginAddress, options: OriginClientOptions): OriginClient {
  const { fetch, now, metadataTtlMs } = options;
  // Results and not promises: in workerd a promise ends with the request that made it, and others would wait for ever.
  const remembered = new Map<string, { until: number; binary: boolean }>();

  /** Whether the origin takes binary tensors, after a look at whether its model is the card's. */
  async function prepare(card: ModelCard, signal: AbortSignal): Promise<boolean> {
    const known = remembered.get(card.name);
    if (known && known.until > now()) return known.binary;
    const binary = await describe(card, signal);
    remembered.set(card.name, { until: now() + metadataTtlMs, binary });
    return binary;
  }

  async function describe(card: ModelCard, signal: AbortSignal): Promise<boolean> {
    const [server, model] = await Promise.all([
      exchange(fetch, address, { path: "/v2", signal }),
      exchange(fetch, address, { path: `/v2/models/${encodeURIComponent(card.name)}`, signal }),
    ]);
    return asProtocol(() => {
      checkMetadata(parseMessage(modelMetadata, model.body), card);
      return parseMessage(serverMetadata, server.body).extensions.includes("binary_tensor_data");
    });
  }

  return {
    url: address.url,
    async infer(card, batch, rows, signal) {
      const binary = await prepare(card, signal);
      const { name, datatype, shape } = card.input;
      const input: Tensor = { name, datatype, shape: [rows, ...shape.slice(1)], bytes: batch };
      const { headers, body } = encodeInferRequest([input], binary);
      const reply = await exchange(fetch, address, {
        path: `/v2/models/${encodeURIComponent(card.name)}/infer`,
        headers,
        body: new Uint8Array(body),
        maxBytes: MESSAGE_BYTES + rows * (card.output.shape[1] ?? 1) * BYTES_PER_LOGIT,
        signal,
      });
      return asProtocol(() => readLogits(reply.body, reply.headers.get(HEADER_LENGTH) ?? undefined, card, rows));
    },
  };
}

function readLogits(body: Uint8Array, headerLength: string | undefined, card: ModelCard, rows: number): Float32Array {
  const output = tensorNamed(parseInferResponse(body, headerLength).outputs, card.output.name);
  const expected = [rows, ...card.output.shape.slice(1)];
  if (`${output.shape}` !== `${expected}`) {
    throw new ProtocolError(400, `Expected logits [${expected}], but got [${output.shape}].`);
  }
  const logits = float32Values(output);
  if (!logits.every(Number.isFinite)) throw new ProtocolError(400, "Expected finite logits.");
  return logits;
}

/** An answer that breaks the protocol is the origin's fault. */
function asProtocol<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ProtocolError) {
      throw new OriginError("broken", "The inference origin's answer breaks the protocol.", cause);
    }
    throw cause;
  }
}
