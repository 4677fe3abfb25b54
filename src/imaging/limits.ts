import { Problem } from "../errors.ts";

/**
 * Bytes that decoding one photo may take at its peak: the file, its copies and every pixel buffer. A Worker's isolate
 * has 128 MB for everything; the downscaler's session and the code take some 40 MB of the 96 MB that we allow
 * ourselves.
 */
export const DECODE_BUDGET = 64e6;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Refuses a picture of more than `maxPixels` (`image-too-large`), or without any. `what` names the kind of image. */
export function checkPixels(what: string, { width, height }: Size, maxPixels: number): void {
  if (width < 1 || height < 1) {
    throw new Problem("undecodable-image", `The ${what} image says that it has ${width} x ${height} pixels.`);
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
