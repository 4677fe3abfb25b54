import { Problem } from "../errors.ts";
import type { Header, SourceFormat } from "./image.ts";

/** Refuses a picture of more than `maxPixels`, or without any. */
export function checkPixels(
  format: SourceFormat,
  header: Header,
  maxPixels: number,
  what = format.toUpperCase(),
): void {
  const { width, height } = header;
  if (width < 1 || height < 1)
    throw new Problem("undecodable-image", `The ${what} image says it is ${width} x ${height} pixels.`);
  if (width * height <= maxPixels) return;
  throw new Problem(
    "image-too-large",
    `Expected at most ${maxPixels / 1e6} million pixels in a ${what} image; ${width} x ${height} came (${((width * height) / 1e6).toFixed(1)} million).`,
  );
}
