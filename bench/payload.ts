/** What of an image file is the picture itself: the rest, the container, could be shared by many files or known to both sides. */
import type { OutputFormat } from "../src/imaging/encode.ts";

/** Bytes of `file` that its pixels are coded in, without headers, tables and boxes. */
export function payload(format: OutputFormat, file: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  switch (format) {
    case "avif":
      return sum(
        chunks(file, 0, (at) => ({ name: ascii(file, at + 4), size: view.getUint32(at) })),
        ["mdat"],
        8,
      );
    case "webp":
      return sum(
        chunks(file, 12, (at) => ({ name: ascii(file, at), size: 8 + even(view.getUint32(at + 4, true)) })),
        ["VP8 ", "VP8L"],
        8,
      );
    case "png":
      return sum(
        chunks(file, 8, (at) => ({ name: ascii(file, at + 4), size: 12 + view.getUint32(at) })),
        ["IDAT"],
        12,
      );
    case "jpeg":
      return file.length - scan(view);
    case "npy":
      return file.length - 10 - view.getUint16(8, true);
  }
}

interface Chunk {
  readonly name: string;
  /** With its own header. */
  readonly size: number;
}

function* chunks(file: Uint8Array, start: number, read: (at: number) => Chunk): Generator<Chunk> {
  for (let at = start; at + 8 <= file.length; ) {
    const chunk = read(at);
    if (chunk.size < 8) throw new Error(`Expected a chunk at ${at}, but it is ${chunk.size} bytes long.`);
    yield chunk;
    at += chunk.size;
  }
}

function sum(found: Iterable<Chunk>, names: readonly string[], header: number): number {
  return [...found].filter((chunk) => names.includes(chunk.name)).reduce((total, { size }) => total + size - header, 0);
}

/** Where a JPEG's entropy-coded data begin (ITU-T T.81, B.1.1.4): after the header of its first scan. */
function scan(view: DataView): number {
  for (let at = 2; at + 4 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint16(at) === 0xffda) return at + 2 + view.getUint16(at + 2);
  }
  throw new Error("Expected a scan in the JPEG file.");
}

function ascii(file: Uint8Array, at: number): string {
  return String.fromCharCode(...file.subarray(at, at + 4));
}

function even(size: number): number {
  return size + (size % 2);
}
