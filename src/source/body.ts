/** Reads a stream into memory with a bound on bytes and time, whatever its headers promised. */
import { Problem } from "../errors.ts";
import type { Lease } from "../overload/budget.ts";
import { within } from "../overload/within.ts";

const FIRST_BUFFER_BYTES = 64 * 1024;

export interface BodyLimits {
  readonly maxBytes: number;
  /**
   * Milliseconds of waiting for the sender in all, for as long as it is not we who hold it back; absent means no limit of its own.
   */
  readonly deadline?: number;
  /** What to throw at the deadline, if it is not a source that is late. */
  readonly late?: () => Problem;
  /** Asked before the buffer grows. While it makes us wait nothing is read, and the sender is held back. */
  readonly lease?: Lease | undefined;
}

/**
 * Reads to the end of the stream.
 *
 * The buffer doubles (reallocated in place, at most `maxBytes`), so memory follows what really arrived and not a claim.
 *
 * @throws Problem `body-too-large` after the first byte too many, `source-timeout` at the deadline; the stream is cancelled.
 */
export async function readBody(
  stream: ReadableStream<Uint8Array>,
  limits: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  try {
    return await readToEnd(reader, limits);
  } catch (error) {
    // Not awaited: a source that stalls may never acknowledge it.
    reader.cancel(error).catch(() => {});
    throw error;
  }
}

async function readToEnd(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { maxBytes, deadline, late = tooSlow, lease }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const first = Math.min(FIRST_BUFFER_BYTES, maxBytes);
  await lease?.hold(first);
  let buffer = new ArrayBuffer(first);
  let size = 0;
  let left = deadline;
  for (;;) {
    const start = Date.now();
    const { done, value } = await (left === undefined ? reader.read() : within(left, reader.read(), late));
    if (left !== undefined) left -= Date.now() - start;
    if (done) {
      await lease?.hold(size);
      return new Uint8Array(size === buffer.byteLength ? buffer : buffer.transfer(size));
    }
    const end = size + value.byteLength;
    if (end > maxBytes) throw new Problem("body-too-large", `Expected a file of at most ${maxBytes} bytes.`);
    if (end > buffer.byteLength) {
      const length = Math.min(maxBytes, Math.max(end, buffer.byteLength * 2));
      await lease?.hold(length);
      buffer = buffer.transfer(length);
    }
    new Uint8Array(buffer).set(value, size);
    size = end;
  }
}

const tooSlow = () => new Problem("source-timeout", "The source sent its file too slowly.");
