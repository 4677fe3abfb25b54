import type { Geometry, LoadCodec, PixelStride, RgbImage, RowSink } from "./image.ts";
import { InstanceSlot } from "./instances.ts";
import { type Coefficients, coefficients, HALF } from "./resample-weights.ts";

/**
 * Pillow's antialiased resampling on 8-bit channels, bit for bit (`src/libImaging/Resample.c`): a horizontal pass
 * rounded to 8 bits, then a vertical one, both in fixed point. Models are trained on what this arithmetic gives
 * (`PIL.Image.resize`, and torchvision's antialiased `resize` within a level), so the edge must not come close to it
 * but hit it. Since version 13 Pillow shrinks some tall photos vertically first, within a few levels: training asks for
 * the two passes one by one, so that no version of it makes a difference.
 *
 * Rows stream through: a row is reduced horizontally at once and added to the output rows that it touches, so the
 * memory is one accumulator of the output's size whatever the photo's. The loops over pixels are WebAssembly SIMD
 * (eight times as fast as JavaScript, which can neither multiply four channels at once nor leave out the bounds
 * checks).
 */

/** The part of a photo of `width` x `height` that fills the square; `cover` is `ImageOps.fit` with centring 0.5. */
function cropBox(width: number, height: number, fit: Geometry["fit"]): [number, number, number, number] {
  if (fit === "fill") return [0, 0, width, height];
  const side = Math.min(width, height);
  const left = (width - side) / 2;
  const top = (height - side) / 2;
  return [left, top, left + side, top + side];
}

/** What resample.wasm exports (resample.wat). */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  reduce(row: number, step: number, taps: number, count: number, out: number): void;
  accumulate(line: number, length: number, weight: number, sums: number): void;
  finish(sums: number, length: number, out: number): void;
}

const WASM_PAGE = 65_536;
const kernels = new InstanceSlot<Kernel>(({ memory }) => memory);

/** A row sink that leaves a square of `geometry.size` in `image()`. */
export class Resampler implements RowSink {
  readonly #size: number;
  readonly #stride: PixelStride;
  readonly #rowBytes: number;
  readonly #vertical: Coefficients;
  readonly #kernel: Kernel;
  readonly #bytes: Uint8Array;
  /** Addresses in the kernel's memory: the taps, one input row, the same reduced, and the sums of the output rows. */
  readonly #taps = 0;
  readonly #input: number;
  readonly #line: number;
  readonly #sums: number;
  /** The first output row that still waits for input rows. */
  #pending = 0;
  #row = 0;

  /**
   * `width` x `height` pixels will come, `stride` bytes each; `extent` (default: all of them) is the part the photo
   * covers, in fractional pixels, from which `geometry.fit` takes its share. `module` is the codec `resample`.
   */
  constructor(
    module: WebAssembly.Module,
    geometry: Geometry,
    width: number,
    height: number,
    stride: PixelStride,
    extent = { width, height },
  ) {
    const { size, fit } = geometry;
    const [left, top, right, bottom] = cropBox(extent.width, extent.height, fit);
    const horizontal = coefficients(width, left, right, size, geometry.filter);
    this.#size = size;
    this.#stride = stride;
    this.#rowBytes = width * stride;
    this.#vertical = coefficients(height, top, bottom, size, geometry.filter);
    const weights = size * 12;
    this.#input = weights + horizontal.weights.byteLength;
    // The kernel reads four bytes of a row's last pixel, too.
    this.#line = align(this.#input + this.#rowBytes + 4);
    this.#sums = align(this.#line + size * 4);
    this.#kernel = kernels.take() ?? (new WebAssembly.Instance(module).exports as unknown as Kernel);
    const { memory } = this.#kernel;
    const missing = this.#sums + size * size * 16 - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / WASM_PAGE));
    this.#bytes = new Uint8Array(memory.buffer);
    const words = new Int32Array(memory.buffer);
    words.set(horizontal.weights, weights / 4);
    for (let x = 0; x < size; x++) {
      words[x * 3] = at(horizontal.first, x) * stride;
      words[x * 3 + 1] = weights + x * horizontal.stride * 4;
      words[x * 3 + 2] = at(horizontal.count, x);
    }
    words.fill(HALF, this.#sums / 4, this.#sums / 4 + size * size * 4);
  }

  push(row: Uint8Array, offset: number): void {
    const { first, count, weights, stride } = this.#vertical;
    const size = this.#size;
    const y = this.#row++;
    while (this.#pending < size && y >= at(first, this.#pending) + at(count, this.#pending)) this.#pending++;
    if (this.#pending === size || y < at(first, this.#pending)) return;
    this.#bytes.set(row.subarray(offset, offset + this.#rowBytes), this.#input);
    this.#kernel.reduce(this.#input, this.#stride, this.#taps, size, this.#line);
    for (let out = this.#pending; out < size; out++) {
      const tap = y - at(first, out);
      if (tap < 0) break;
      if (tap >= at(count, out)) continue;
      this.#kernel.accumulate(this.#line, size * 4, at(weights, out * stride + tap), this.#sums + out * size * 16);
    }
  }

  /** Gives the kernel back, whatever has become of the picture; nothing may be called after it. */
  release(): void {
    kernels.put(this.#kernel);
  }

  /** The finished square, once; every row must have been pushed. */
  image(): RgbImage {
    const size = this.#size;
    // In place: a byte is written where its sum, or one before it, has been read.
    this.#kernel.finish(this.#sums, size * size * 4, this.#sums);
    const data = new Uint8Array(size * size * 3);
    const [green, blue] = this.#stride < 3 ? [0, 0] : [1, 2];
    for (let from = this.#sums, to = 0; to < data.length; from += 4, to += 3) {
      data[to] = this.#bytes[from] as number;
      data[to + 1] = this.#bytes[from + green] as number;
      data[to + 2] = this.#bytes[from + blue] as number;
    }
    return { width: size, height: size, data };
  }
}

function at(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

function align(address: number): number {
  return Math.ceil(address / 16) * 16;
}

/** Reduces a picture that is in memory already. */
export async function resample(image: RgbImage, geometry: Geometry, loadCodec: LoadCodec): Promise<RgbImage> {
  const resampler = new Resampler(await loadCodec("resample"), geometry, image.width, image.height, 3);
  for (let y = 0; y < image.height; y++) resampler.push(image.data, y * image.width * 3);
  const reduced = resampler.image();
  resampler.release();
  return reduced;
}
