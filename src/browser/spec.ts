/** The options of a thumbnail that is made here, checked as the service checks those in a URL. */
import { Problem } from "../errors.ts";
import { encoders, FORMATS } from "../imaging/encode.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import type { LocalThumbnailOptions } from "./index.ts";
import { SIZES, type Size } from "./runtime.ts";

const FITS = ["fill", "cover"] as const;

/** Callers may be JavaScript, where no type has checked them. @throws Problem `invalid-options`. */
export function specOf(options: LocalThumbnailOptions): ThumbnailSpec & { readonly size: Size } {
  const { size = 56, format = "png", quality, fit } = options;
  oneOf("size", size, SIZES);
  oneOf("format", format, FORMATS);
  if (fit !== undefined) oneOf("fit", fit, FITS);
  if (quality !== undefined) {
    if (!Number.isInteger(quality) || quality < 1 || quality > 100)
      refuse("quality", "a whole number from 1 to 100", quality);
    if (!encoders[format].lossy) refuse("quality", "none with a lossless format", quality);
  }
  return { size, format, quality, fit };
}

function oneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (!allowed.includes(value)) refuse(name, allowed.join(" or "), value);
}

function refuse(name: string, expected: string, came: unknown): never {
  throw new Problem("invalid-options", `${name}: Expected ${expected}, but got ${JSON.stringify(came)}.`);
}
