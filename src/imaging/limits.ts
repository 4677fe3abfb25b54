import { Problem } from "../errors.ts";

/**
 * A Worker's isolate has 128 MB for everything, of which we allow ourselves 96 for one photo. Code, models and ONNX Runtime
 * take 28 MB of them, the encoders 6. The other numbers are here.
 */

/** Bytes that decoding one photo may take at its peak: the file, its copies and every pixel buffer. */
export const DECODE_BUDGET = 64e6;

/**
 * The part of it that is WebAssembly's: the linear memory in which all photos are decoded, one after the other. It never
 * shrinks, so the next photo finds it as large as any before it has made it.
 */
export const DECODER_MEMORY = 56 * 2 ** 20;

/** The part that decoders written in JavaScript may take beside that memory, whatever photo has made it grow. */
export const HEAP_BUDGET = 32e6;

/**
 * The longest side of a picture of any format, whatever the other is. JPEG and GIF give sides in 16 bits, libwebp writes
 * at most 16,383 and libavif reads at most 32,768. But a PNG of 58 bytes can claim 1 x 40 M, and the resampler's weights
 * are up to 16 bytes (4 taps of 4) for every row and column: 640 MB. At this side they are 1 MB, and 2.1 MB for columns,
 * whose weights its kernel gets a copy of.
 */
const MAX_SIDE = 65_535;

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Refuses a picture of more than `maxPixels` or with a side longer than `MAX_SIDE` (`image-too-large`), or without any
 * pixels. `what` names the kind of image.
 */
export function checkPixels(what: string, { width, height }: Size, maxPixels: number): void {
  if (width < 1 || height < 1) {
    throw new Problem("undecodable-image", `The ${what} image says that it has ${width} x ${height} pixels.`);
  }
  if (Math.max(width, height) > MAX_SIDE) {
    throw new Problem(
      "image-too-large",
      `Expected at most ${MAX_SIDE} pixels a side in a ${what} image; ${width} x ${height} came.`,
    );
  }
  if (width * height <= maxPixels) return;
  throw new Problem(
    "image-too-large",
    `Expected at most ${millions(maxPixels)} million pixels in a ${what} image; ${width} x ${height} came (${millions(width * height)} million).`,
  );
}

/** Refuses a picture whose pixels, `bytesPerPixel` each, do not fit into `budget` beside `others` bytes. */
export function checkMemory(
  what: string,
  size: Size,
  others: number,
  bytesPerPixel: number,
  budget = DECODE_BUDGET,
): void {
  checkPixels(what, size, Math.floor(Math.max(0, budget - others) / bytesPerPixel));
}

function millions(pixels: number): string {
  return (pixels / 1e6).toFixed(2).replace(/\.?0+$/, "");
}
