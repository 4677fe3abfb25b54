/** Reads request bodies within two bounds: of one body, and of all that are held at once. */
import type { IncomingMessage } from "node:http";
import { ProtocolError } from "../oip/error.ts";

/** Counts the bytes held by all requests together. */
export interface Budget {
  readonly max: number;
  used: number;
}

const tooLarge = (what: string, maxBytes: number) => new ProtocolError(413, `The ${what} exceeds ${maxBytes} bytes.`);

/** Gathers what comes in chunks, within both bounds: `add` throws ProtocolError 413 beyond `maxBytes`, and what `hold` throws. */
export function gather(what: string, maxBytes: number, hold: (bytes: number) => void) {
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    add(chunk: Buffer): void {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(what, maxBytes);
      hold(chunk.length);
      chunks.push(chunk);
    },
    whole(): Buffer {
      const [only] = chunks;
      return chunks.length === 1 && only ? only : Buffer.concat(chunks, length);
    },
  };
}

/**
 * The whole body; its bytes are taken from the budget by `hold`, which the caller gives back.
 *
 * @throws ProtocolError 413 if it is, or says it is, larger than `maxBytes`; 503 if the budget is used up; 400 if it ends early.
 */
export async function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  if (Number(incoming.headers["content-length"] ?? 0) > maxBytes) throw tooLarge("request", maxBytes);
  const body = gather("request", maxBytes, hold);
  // Events rather than `for await`, which costs as much again as the reading itself.
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: unknown) => {
      incoming.off("data", onData).off("end", resolve).off("close", onClose);
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      try {
        body.add(chunk);
      } catch (error) {
        refuse(error);
      }
    };
    const onClose = () => refuse(new ProtocolError(400, "The request ended before its body was complete."));
    incoming.on("data", onData).on("end", resolve).on("error", onClose).on("close", onClose);
  });
  return body.whole();
}

/** Runs `work` with a `hold` whose bytes all go back into the budget at the end. */
export async function withBudget<T>(budget: Budget, work: (hold: (bytes: number) => void) => Promise<T>): Promise<T> {
  let held = 0;
  try {
    return await work((bytes) => {
      if (budget.used + bytes > budget.max)
        throw new ProtocolError(503, "The server holds as many requests as it can.");
      budget.used += bytes;
      held += bytes;
    });
  } finally {
    budget.used -= held;
  }
}
