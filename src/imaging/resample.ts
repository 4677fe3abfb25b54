import type { Geometry, PixelStride, RgbImage, RowSink } from "./image.ts";

/**
 * Pillow's antialiased resampling on 8-bit channels, bit for bit (`src/libImaging/Resample.c`): a horizontal pass rounded
 * to 8 bits, then a vertical one, both in fixed point. Models are trained on what this arithmetic gives
 * (`PIL.Image.resize`, and torchvision's antialiased `resize` within a level), so the edge must not come close to it but hit it.
 *
 * Rows stream through: a row is reduced horizontally at once and added to the output rows that it touches, so the memory
 * is one accumulator of the output's size whatever the photo's.
 */

const PRECISION_BITS = 32 - 8 - 2;
const HALF = 1 << (PRECISION_BITS - 1);

interface Filter {
  readonly support: number;
  weight(x: number): number;
}

const FILTERS: Record<Geometry["filter"], Filter> = {
  bilinear: {
    support: 1,
    weight: (x) => Math.max(0, 1 - Math.abs(x)),
  },
  // Keys' cubic convolution with a = -0.5.
  bicubic: {
    support: 2,
    weight(signed) {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
      return 0;
    },
  },
};

/** For each output index: the first input index, how many, and their fixed-point weights at `index * stride`. */
interface Coefficients {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  readonly stride: number;
}

/** Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`; the box is single precision there, so it is here. */
function coefficients(inSize: number, box0: number, box1: number, outSize: number, filter: Filter): Coefficients {
  const in0 = Math.fround(box0);
  const scale = Math.fround(Math.fround(box1) - in0) / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * stride);
  const exact = new Float64Array(stride);
  for (let out = 0; out < outSize; out++) {
    const center = in0 + (out + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const length = Math.min(inSize, Math.trunc(center + support + 0.5)) - low;
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const weight = filter.weight((i + low - center + 0.5) * (1 / filterScale));
      exact[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < length; i++) {
      const weight = (exact[i] ?? 0) / (sum || 1);
      weights[out * stride + i] = Math.trunc(weight * (1 << PRECISION_BITS) + (weight < 0 ? -0.5 : 0.5));
    }
    first[out] = low;
    count[out] = length;
  }
  return { first, count, weights, stride };
}

/** The part of a photo of `width` x `height` that fills the square; `cover` is `ImageOps.fit` with centring 0.5. */
function cropBox(width: number, height: number, fit: Geometry["fit"]): [number, number, number, number] {
  if (fit === "fill") return [0, 0, width, height];
  const side = Math.min(width, height);
  const left = (width - side) / 2;
  const top = (height - side) / 2;
  return [left, top, left + side, top + side];
}

/** A row sink that leaves a square of `geometry.size` in `image()`. */
export class Resampler implements RowSink {
  readonly #size: number;
  readonly #stride: PixelStride;
  readonly #horizontal: Coefficients;
  readonly #vertical: Coefficients;
  /** One input row after the horizontal pass. */
  readonly #line: Uint8Array;
  readonly #channels: 1 | 3;
  readonly #sums: Int32Array;
  /** The first output row that still waits for input rows. */
  #pending = 0;
  #row = 0;

  /**
   * `width` x `height` pixels will come, `stride` bytes each; `extent` (default: all of them) is the part the photo
   * covers, in fractional pixels, from which `geometry.fit` takes its share.
   */
  constructor(geometry: Geometry, width: number, height: number, stride: PixelStride, extent = { width, height }) {
    const { size, fit } = geometry;
    const filter = FILTERS[geometry.filter];
    const [left, top, right, bottom] = cropBox(extent.width, extent.height, fit);
    this.#size = size;
    this.#stride = stride;
    this.#channels = stride < 3 ? 1 : 3;
    this.#horizontal = coefficients(width, left, right, size, filter);
    this.#vertical = coefficients(height, top, bottom, size, filter);
    this.#line = new Uint8Array(size * this.#channels);
    this.#sums = new Int32Array(size * size * this.#channels).fill(HALF);
  }

  push(row: Uint8Array, offset: number): void {
    const { first, count, weights, stride } = this.#vertical;
    const y = this.#row++;
    while (this.#pending < this.#size && y >= at(first, this.#pending) + at(count, this.#pending)) this.#pending++;
    if (this.#pending === this.#size || y < at(first, this.#pending)) return;
    if (this.#channels === 3) reduceRgb(row, offset, this.#stride, this.#horizontal, this.#line);
    else reduceGrey(row, offset, this.#stride, this.#horizontal, this.#line);
    for (let out = this.#pending; out < this.#size; out++) {
      const tap = y - at(first, out);
      if (tap < 0) break;
      if (tap < at(count, out))
        accumulate(this.#sums, out * this.#line.length, this.#line, at(weights, out * stride + tap));
    }
  }

  /** The finished square; every row must have been pushed. */
  image(): RgbImage {
    const size = this.#size;
    const data = new Uint8Array(size * size * 3);
    const copies = this.#channels === 1 ? 3 : 1;
    let out = 0;
    for (const sum of this.#sums) {
      const value = clip(sum);
      for (let copy = 0; copy < copies; copy++) data[out++] = value;
    }
    return { width: size, height: size, data };
  }
}

function at(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

function clip(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return Math.max(0, Math.min(255, value));
}

function reduceRgb(row: Uint8Array, offset: number, step: number, taps: Coefficients, line: Uint8Array): void {
  const { first, count, weights, stride } = taps;
  const size = first.length;
  let out = 0;
  for (let x = 0; x < size; x++) {
    let pixel = offset + (first[x] as number) * step;
    let tap = x * stride;
    const end = tap + (count[x] as number);
    let red = HALF;
    let green = HALF;
    let blue = HALF;
    for (; tap < end; tap++) {
      const weight = weights[tap] as number;
      red += Math.imul(row[pixel] as number, weight);
      green += Math.imul(row[pixel + 1] as number, weight);
      blue += Math.imul(row[pixel + 2] as number, weight);
      pixel += step;
    }
    line[out] = clip(red);
    line[out + 1] = clip(green);
    line[out + 2] = clip(blue);
    out += 3;
  }
}

function reduceGrey(row: Uint8Array, offset: number, step: number, taps: Coefficients, line: Uint8Array): void {
  const { first, count, weights, stride } = taps;
  const size = first.length;
  for (let x = 0; x < size; x++) {
    let pixel = offset + (first[x] as number) * step;
    let tap = x * stride;
    const end = tap + (count[x] as number);
    let grey = HALF;
    for (; tap < end; tap++) {
      grey += Math.imul(row[pixel] as number, weights[tap] as number);
      pixel += step;
    }
    line[x] = clip(grey);
  }
}

function accumulate(sums: Int32Array, start: number, line: Uint8Array, weight: number): void {
  const length = line.length;
  for (let i = 0; i < length; i++)
    sums[start + i] = ((sums[start + i] as number) + Math.imul(line[i] as number, weight)) | 0;
}

/** Reduces a picture that is in memory already. */
export function resample(image: RgbImage, geometry: Geometry): RgbImage {
  const resampler = new Resampler(geometry, image.width, image.height, 3);
  for (let y = 0; y < image.height; y++) resampler.push(image.data, y * image.width * 3);
  return resampler.image();
}
