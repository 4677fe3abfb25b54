import type { JpegHeader } from "./jpeg-markers.ts";

export type JpegColorSpace = "grey" | "ycbcr" | "rgb" | "cmyk" | "ycck";

const [LETTER_R, LETTER_G, LETTER_B] = [0x52, 0x47, 0x42];

/** The colour space that libjpeg assumes (`default_decompress_parms`). */
export function colorSpace({ components, jfif, adobeTransform }: JpegHeader): JpegColorSpace {
  if (components.length === 1) return "grey";
  if (components.length === 4) return adobeTransform === undefined || adobeTransform === 0 ? "cmyk" : "ycck";
  if (jfif) return "ycbcr";
  if (adobeTransform !== undefined) return adobeTransform === 0 ? "rgb" : "ycbcr";
  const [first, second, third] = components;
  return first?.id === LETTER_R && second?.id === LETTER_G && third?.id === LETTER_B ? "rgb" : "ycbcr";
}

const SCALE = 65_536;
const HALF = SCALE / 2;

/** YCbCr (JFIF 1.02) to RGB in libjpeg's fixed point, in place: `y` becomes red, `cb` green, `cr` blue. */
export function ycbcrToRgb(y: Uint8ClampedArray, cb: Uint8ClampedArray, cr: Uint8ClampedArray): void {
  for (let x = 0; x < y.length; x++) {
    const luma = y[x] as number;
    const blue = (cb[x] as number) - 128;
    const red = (cr[x] as number) - 128;
    y[x] = luma + ((91_881 * red + HALF) >> 16);
    cb[x] = luma + ((-22_554 * blue - 46_802 * red + HALF) >> 16);
    cr[x] = luma + ((116_130 * blue + HALF) >> 16);
  }
}

/**
 * CMYK to RGB as Pillow's `convert("RGB")`: no profile, and the values taken for inverted ones, as Adobe writes them.
 * `from` has four bytes a pixel, `to` gets three.
 */
export function cmykToRgb(from: Uint8Array, offset: number, to: Uint8Array): void {
  for (let i = offset, out = 0; out < to.length; i += 4, out += 3) {
    const light = from[i + 3] as number;
    for (let channel = 0; channel < 3; channel++) {
      const product = (from[i + channel] as number) * light + 128;
      to[out + channel] = (product + (product >> 8)) >> 8;
    }
  }
}
