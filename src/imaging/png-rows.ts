import type { PixelStride } from "./image.ts";

/** How a PNG stores its pixels. */
export interface PixelLayout {
  /** 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGB + alpha. */
  readonly colorType: number;
  /** Bits a sample: 1, 2, 4, 8 or 16. */
  readonly bitDepth: number;
  /** RGB triples of the PLTE chunk. */
  readonly palette: Uint8Array;
}

/** The passes of Adam7: first column, first line, step of columns, step of lines. */
export const ADAM7_PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/**
 * Undoes a row's filter in place (ISO/IEC 15948, clause 9). Both rows carry the filter's number in front. False: no
 * such filter.
 */
export function unfilter(line: Uint8Array, above: Uint8Array, pixelBytes: number): boolean {
  const length = line.length;
  switch (line[0]) {
    case 0:
      return true;
    case 1:
      for (let i = 1 + pixelBytes; i < length; i++) line[i] = (line[i] as number) + (line[i - pixelBytes] as number);
      return true;
    case 2:
      for (let i = 1; i < length; i++) line[i] = (line[i] as number) + (above[i] as number);
      return true;
    case 3:
      for (let i = 1; i <= pixelBytes; i++) line[i] = (line[i] as number) + ((above[i] as number) >> 1);
      for (let i = 1 + pixelBytes; i < length; i++) {
        line[i] = (line[i] as number) + (((line[i - pixelBytes] as number) + (above[i] as number)) >> 1);
      }
      return true;
    case 4:
      for (let i = 1; i <= pixelBytes; i++) line[i] = (line[i] as number) + (above[i] as number);
      for (let i = 1 + pixelBytes; i < length; i++) {
        const a = line[i - pixelBytes] as number;
        const b = above[i] as number;
        const c = above[i - pixelBytes] as number;
        // The predictor a + b - c, written as its distances from a, b and c.
        const ac = b - c;
        const bc = a - c;
        const pa = ac < 0 ? -ac : ac;
        const pb = bc < 0 ? -bc : bc;
        const both = ac + bc;
        const pc = both < 0 ? -both : both;
        line[i] = (line[i] as number) + (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
      }
      return true;
    default:
      return false;
  }
}

interface Unpacker {
  readonly stride: PixelStride;
  /** The row's 8-bit pixels from offset 0, given the unfiltered row with its filter's number in front. */
  row(line: Uint8Array): Uint8Array;
}

/** Turns rows of `width` stored pixels into 8-bit ones of whatever stride is cheapest. */
export function rowUnpacker(layout: PixelLayout, width: number): Unpacker {
  const { colorType, bitDepth } = layout;
  if (colorType === 3) return paletteUnpacker(layout, width);
  const stride: PixelStride = colorType === 0 ? 1 : colorType === 2 ? 3 : colorType === 4 ? 2 : 4;
  if (bitDepth === 8) return { stride, row: (line) => line.subarray(1) };
  const out = new Uint8Array(width * stride);
  if (bitDepth === 16) {
    const high = (line: Uint8Array): Uint8Array => {
      for (let i = 0; i < out.length; i++) out[i] = line[1 + 2 * i] as number;
      return out;
    };
    return { stride, row: high };
  }
  const scale = 255 / ((1 << bitDepth) - 1);
  const row = (line: Uint8Array): Uint8Array => {
    for (let x = 0; x < width; x++) out[x] = sample(line, x, bitDepth) * scale;
    return out;
  };
  return { stride, row };
}

function paletteUnpacker({ palette, bitDepth }: PixelLayout, width: number): Unpacker {
  // Indices past the end of the palette are black, as in libpng and Pillow.
  const colors = new Uint8Array(256 * 3);
  colors.set(palette.subarray(0, colors.length));
  const out = new Uint8Array(width * 3);
  const row = (line: Uint8Array): Uint8Array => {
    for (let x = 0, to = 0; x < width; x++, to += 3) {
      const color = (bitDepth === 8 ? (line[1 + x] as number) : sample(line, x, bitDepth)) * 3;
      out[to] = colors[color] as number;
      out[to + 1] = colors[color + 1] as number;
      out[to + 2] = colors[color + 2] as number;
    }
    return out;
  };
  return { stride: 3, row };
}

/** The `x`th sample of 1, 2 or 4 bits, the leftmost in the highest bits. */
function sample(line: Uint8Array, x: number, bitDepth: number): number {
  const bit = x * bitDepth;
  return ((line[1 + (bit >> 3)] as number) >> (8 - bitDepth - (bit & 7))) & ((1 << bitDepth) - 1);
}
