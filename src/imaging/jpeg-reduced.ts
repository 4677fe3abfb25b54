import type { PixelTarget } from "./image.ts";
import { type CoefficientPlane, type Kept, readCoefficients } from "./jpeg-coefficients.ts";
import { cmykToRgb, colorSpace, ycbcrToRgb } from "./jpeg-color.ts";
import type { JpegComponent, JpegHeader } from "./jpeg-markers.ts";

/**
 * The picture at 1/8 or 1/4 scale from 1 or 2 x 2 coefficients of each block, without ever holding the others.
 *
 * At 1/8 it is what libjpeg gives. At 1/4 the four samples of a block are the 2 x 2 inverse DCT of its lowest
 * frequencies. Chroma that is subsampled is interpolated linearly between the centres of its samples.
 */
export function decodeReduced(bytes: Uint8Array, header: JpegHeader, kept: Kept, target: PixelTarget): void {
  const scale = kept === 4 ? 4 : 8;
  const extent = { width: header.width / scale, height: header.height / scale };
  const width = Math.ceil(extent.width);
  const height = Math.ceil(extent.height);
  const planes = readCoefficients(bytes, header, kept).map((plane, i) => {
    const component = header.components[i] as JpegComponent;
    return new PlaneRows(plane, kept, component.h / header.hMax, component.v / header.vMax, width);
  });
  const space = colorSpace(header);
  const sink = target.open(width, height, planes.length === 1 ? 1 : 3, extent);
  const row = new Uint8Array(width * planes.length);
  const rgb = planes.length === 4 ? new Uint8Array(width * 3) : row;
  for (let y = 0; y < height; y++) {
    const lines = planes.map((plane) => plane.line(y));
    const [first, second, third] = lines;
    if ((space === "ycbcr" || space === "ycck") && first && second && third) ycbcrToRgb(first, second, third);
    for (const [channel, line] of lines.entries()) {
      // YCCK is YCbCr of the inverted inks.
      const inverted = space === "ycck" && channel < 3 ? 255 : 0;
      for (let x = 0, to = channel; x < width; x++, to += lines.length) row[to] = (line[x] as number) ^ inverted;
    }
    if (rgb !== row) cmykToRgb(row, 0, rgb);
    sink.push(rgb, 0);
  }
}

interface CachedRow {
  y: number;
  readonly samples: Uint8ClampedArray;
}

/** Full-width rows of one component. */
class PlaneRows {
  readonly #plane: CoefficientPlane;
  readonly #kept: Kept;
  /** Samples of the component by samples of the picture, down and across. */
  readonly #down: number;
  readonly #direct: boolean;
  /** Rows of the component's own samples: number and content of the last two made. */
  readonly #cache: CachedRow[];
  /** For each output column: the sample to its left, and the weight of the one right of it in 1/256. */
  readonly #left: Int32Array;
  readonly #weight: Int32Array;
  readonly #line: Uint8ClampedArray;
  readonly #columns: number;
  readonly #rows: number;

  constructor(plane: CoefficientPlane, kept: Kept, across: number, down: number, width: number) {
    const side = kept === 4 ? 2 : 1;
    this.#plane = plane;
    this.#kept = kept;
    this.#down = down;
    this.#direct = across === 1 && down === 1;
    this.#columns = plane.width * side;
    this.#rows = plane.height * side;
    this.#cache = [0, 1].map(() => ({ y: -1, samples: new Uint8ClampedArray(this.#columns) }));
    this.#left = new Int32Array(width);
    this.#weight = new Int32Array(width);
    for (let x = 0; x < width; x++) {
      const { left, weight } = between(x, across, this.#columns);
      this.#left[x] = left;
      this.#weight[x] = weight;
    }
    this.#line = new Uint8ClampedArray(width);
  }

  /** The row `y` of the picture; it may be overwritten, and is valid until the next call. */
  line(y: number): Uint8ClampedArray {
    const line = this.#line;
    if (this.#direct) {
      line.set(this.#samples(y).subarray(0, line.length));
      return line;
    }
    const { left: top, weight: down } = between(y, this.#down, this.#rows);
    const above = this.#samples(top);
    const below = this.#samples(Math.min(top + 1, this.#rows - 1));
    const final = this.#columns - 1;
    for (let x = 0; x < line.length; x++) {
      const left = this.#left[x] as number;
      const right = left < final ? left + 1 : final;
      const weight = this.#weight[x] as number;
      const upper = (above[left] as number) * (256 - weight) + (above[right] as number) * weight;
      const lower = (below[left] as number) * (256 - weight) + (below[right] as number) * weight;
      line[x] = (upper * (256 - down) + lower * down + 32_768) >> 16;
    }
    return line;
  }

  /** A row of the component's own samples. */
  #samples(y: number): Uint8ClampedArray {
    const [first, second] = this.#cache as [CachedRow, CachedRow];
    if (first.y === y) return first.samples;
    if (second.y === y) return second.samples;
    const oldest = first.y < second.y ? first : second;
    oldest.y = y;
    if (this.#kept === 1) this.#means(y, oldest.samples);
    else this.#quarters(y, oldest.samples);
    return oldest.samples;
  }

  /** libjpeg's 1 x 1 inverse DCT. */
  #means(y: number, out: Uint8ClampedArray): void {
    const { coefficients, stride, steps } = this.#plane;
    const step = steps[0] ?? 0;
    for (let x = 0; x < out.length; x++) out[x] = (((coefficients[y * stride + x] as number) * step + 4) >> 3) + 128;
  }

  /** The upper or lower samples of the 2 x 2 inverse DCT. */
  #quarters(y: number, out: Uint8ClampedArray): void {
    const { coefficients, stride, steps } = this.#plane;
    const [mean = 0, across = 0, down = 0, both = 0] = steps;
    const sign = y & 1 ? -1 : 1;
    for (let x = 0, at = (y >> 1) * stride * 4; x < out.length; x += 2, at += 4) {
      const even = (coefficients[at] as number) * mean + sign * (coefficients[at + 2] as number) * down;
      const odd = (coefficients[at + 1] as number) * across + sign * (coefficients[at + 3] as number) * both;
      out[x] = ((even + odd + 4) >> 3) + 128;
      out[x + 1] = ((even - odd + 4) >> 3) + 128;
    }
  }
}

/** The position of output sample `x` between the centres of samples that are `ratio` times as dense. */
function between(x: number, ratio: number, count: number): { left: number; weight: number } {
  const at = Math.min(Math.max((x + 0.5) * ratio - 0.5, 0), count - 1);
  const left = Math.floor(at);
  return { left, weight: Math.round((at - left) * 256) };
}
