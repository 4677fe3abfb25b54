/** What of an image file is the picture itself: the rest, the container, could be shared by many files or known to both sides. */
import { boxes } from "../src/imaging/avif-boxes.ts";
import type { OutputFormat } from "../src/imaging/encode.ts";
import { decodeNpy } from "../src/imaging/npy.ts";
import { riffChunks } from "../src/imaging/webp.ts";

/** Bytes of `file` that its pixels are coded in, without headers, tables and boxes. */
export function payload(format: OutputFormat, file: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  switch (format) {
    case "avif":
      return sum([...boxes(view, 0)].filter(({ type }) => type === "mdat").map((box) => box.view.byteLength));
    case "webp":
      return sum(
        [...riffChunks(file, 12)].filter(({ type }) => /^VP8[ L]$/.test(type)).map(({ body }) => even(body.length)),
      );
    case "png":
      return sum([...imageData(view)]);
    case "jpeg":
      return file.length - scan(view);
    case "npy":
      return decodeNpy(file).data.length;
  }
}

/** Lengths of a PNG's IDAT chunks. */
function* imageData(view: DataView): Generator<number> {
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === 0x49444154) yield view.getUint32(at);
  }
}

/** Where a JPEG's entropy-coded data begin (ITU-T T.81, B.1.1.4): after the header of its first scan. */
function scan(view: DataView): number {
  for (let at = 2; at + 4 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint16(at) === 0xffda) return at + 2 + view.getUint16(at + 2);
  }
  throw new Error("Expected a scan in the JPEG file.");
}

/** RIFF pads chunks. */
function even(size: number): number {
  return size + (size & 1);
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
