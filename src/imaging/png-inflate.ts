import { Problem } from "../errors.ts";
import { type PixelLayout, unfilter } from "./png-rows.ts";

/**
 * Inflates the file's data and gives each row of each pass to `use`, its filter undone and its filter's number in
 * front. What comes behind the last row (of a bomb, gigabytes) is not read: as in libpng it harms no pixel.
 */
export async function readRows(
  data: readonly Uint8Array[],
  layout: PixelLayout,
  passes: readonly { width: number; height: number }[],
  use: (line: Uint8Array, pass: number, y: number) => void,
): Promise<void> {
  const bits = layout.bitDepth * ([1, 0, 3, 1, 2, 0, 4][layout.colorType] ?? 1);
  const pixelBytes = Math.max(1, bits >> 3);
  const stream = new DecompressionStream("deflate");
  // The reader learns of every failure; nobody waits for the writer.
  feed(stream.writable.getWriter(), data).catch(() => {});
  const reader = stream.readable.getReader();
  let chunk: Uint8Array = new Uint8Array();
  let used = 0;
  try {
    for (const [pass, { width, height }] of passes.entries()) {
      let line = new Uint8Array(Math.ceil((width * bits) / 8) + 1);
      let above = new Uint8Array(line.length);
      let filled = 0;
      for (let y = 0; y < height; ) {
        if (used === chunk.length) {
          free(chunk);
          const { done, value } = await reader.read();
          if (done) damaged("its pixel data end too early");
          chunk = value;
          used = 0;
        }
        const part = Math.min(line.length - filled, chunk.length - used);
        line.set(chunk.subarray(used, used + part), filled);
        filled += part;
        used += part;
        if (filled < line.length) continue;
        if (!unfilter(line, above, pixelBytes)) damaged("a row has an unknown filter");
        use(line, pass, y++);
        [line, above] = [above, line];
        filled = 0;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** All pixels come through the chunks: together they are megabytes that would wait for the garbage collector. */
function free({ buffer, byteLength }: Uint8Array): void {
  // Node hands out parts of a buffer that it goes on filling.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

// Encoders write chunks of some 8 KB: joined, they pass the stream with fewer turns of the event loop.
const FEED_BYTES = 128 * 1024;

async function feed(writer: WritableStreamDefaultWriter, parts: readonly Uint8Array[]): Promise<void> {
  let joined = new Uint8Array(FEED_BYTES);
  let length = 0;
  const flush = async () => {
    if (length > 0) await writer.write(joined.subarray(0, length));
    // The stream may still hold the one just written.
    joined = new Uint8Array(FEED_BYTES);
    length = 0;
  };
  for (const part of parts) {
    for (let offset = 0; offset < part.length; ) {
      const piece = part.subarray(offset, offset + FEED_BYTES - length);
      joined.set(piece, length);
      length += piece.length;
      offset += piece.length;
      if (length === FEED_BYTES) await flush();
    }
  }
  await flush();
  await writer.close();
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The PNG image is damaged: ${why}.`);
}
