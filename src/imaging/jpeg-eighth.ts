import type { PixelTarget } from "./image.ts";
import { cmykToRgb, colorSpace, ycbcrToRgb } from "./jpeg-color.ts";
import { type DcPlane, readDcPlanes } from "./jpeg-dc.ts";
import type { JpegHeader } from "./jpeg-markers.ts";

/**
 * The picture at 1/8 scale from its DC coefficients alone: what libjpeg's 1/8 scale gives without ever holding the AC coefficients. Chroma that
 * is subsampled is interpolated linearly between the centres of its blocks.
 */
export function decodeEighth(bytes: Uint8Array, header: JpegHeader, target: PixelTarget): void {
  const extent = { width: header.width / 8, height: header.height / 8 };
  const width = Math.ceil(extent.width);
  const height = Math.ceil(extent.height);
  const planes = readDcPlanes(bytes, header);
  const rows = planes.map((plane, i) => new PlaneRows(plane, header, i, width));
  const space = colorSpace(header);
  const sink = target.open(width, height, planes.length === 1 ? 1 : 3, extent);
  const row = new Uint8Array(width * planes.length);
  const rgb = planes.length === 4 ? new Uint8Array(width * 3) : row;
  for (let y = 0; y < height; y++) {
    const lines = rows.map((plane) => plane.line(y));
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

/** Full-width rows of samples of one component. */
class PlaneRows {
  readonly #plane: DcPlane;
  readonly #samples: Uint8ClampedArray;
  readonly #vertical: number;
  /** For each output column: the sample to its left and the weight of the next one, in 1/256. */
  readonly #left: Int32Array;
  readonly #weight: Int32Array;
  readonly #direct: boolean;
  readonly #line: Uint8ClampedArray;

  constructor(plane: DcPlane, header: JpegHeader, index: number, width: number) {
    const component = header.components[index] ?? { h: 1, v: 1 };
    const hMax = Math.max(...header.components.map(({ h }) => h));
    const vMax = Math.max(...header.components.map(({ v }) => v));
    this.#plane = plane;
    this.#samples = new Uint8ClampedArray(plane.coefficients.length);
    // libjpeg's 1 x 1 inverse DCT.
    for (let i = 0; i < this.#samples.length; i++)
      this.#samples[i] = (((plane.coefficients[i] as number) * plane.step + 4) >> 3) + 128;
    this.#vertical = component.v / vMax;
    this.#direct = component.h === hMax && component.v === vMax;
    this.#left = new Int32Array(width);
    this.#weight = new Int32Array(width);
    for (let x = 0; x < width; x++) {
      const { left, weight } = between(x, component.h / hMax, plane.width);
      this.#left[x] = left;
      this.#weight[x] = weight;
    }
    this.#line = new Uint8ClampedArray(width);
  }

  line(y: number): Uint8ClampedArray {
    const { stride, width, height } = this.#plane;
    if (this.#direct) {
      this.#line.set(this.#samples.subarray(y * stride, y * stride + this.#line.length));
      return this.#line;
    }
    const { left: top, weight: down } = between(y, this.#vertical, height);
    const above = top * stride;
    const below = Math.min(top + 1, height - 1) * stride;
    for (let x = 0; x < this.#line.length; x++) {
      const left = this.#left[x] as number;
      const right = Math.min(left + 1, width - 1);
      const weight = this.#weight[x] as number;
      const upper = this.#sample(above + left) * (256 - weight) + this.#sample(above + right) * weight;
      const lower = this.#sample(below + left) * (256 - weight) + this.#sample(below + right) * weight;
      this.#line[x] = (upper * (256 - down) + lower * down + 32_768) >> 16;
    }
    return this.#line;
  }

  #sample(at: number): number {
    return this.#samples[at] as number;
  }
}

/** The position of output sample `x` between the centres of samples that are `ratio` times as dense. */
function between(x: number, ratio: number, count: number): { left: number; weight: number } {
  const at = Math.min(Math.max((x + 0.5) * ratio - 0.5, 0), count - 1);
  const left = Math.floor(at);
  return { left, weight: Math.round((at - left) * 256) };
}
