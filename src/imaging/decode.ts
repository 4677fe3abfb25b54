import { Problem } from "../errors.ts";
import { openAvif } from "./avif.ts";
import { openGif } from "./gif.ts";
import type { Geometry, Header, LoadCodec, OpenSource, PixelTarget, RgbImage, RowSink, SourceFormat } from "./image.ts";
import { openJpeg } from "./jpeg.ts";
import { DECODER_MEMORY } from "./limits.ts";
import { OutOfMemory } from "./linear-memory.ts";
import { orient } from "./orient.ts";
import { openPng } from "./png.ts";
import { Resampler } from "./resample.ts";
import { sniff } from "./sniff.ts";
import { openWebp } from "./webp.ts";

/** Every format that is read, one file each. */
const OPENERS: Record<SourceFormat, OpenSource> = {
  jpeg: openJpeg,
  png: openPng,
  webp: openWebp,
  gif: openGif,
  avif: openAvif,
};

/** The longest side that `decodeExact` accepts. */
export const EXACT_SIDE = 512;

/**
 * Decodes a photo to the upright square that a downscaler reads: `geometry.size` pixels a side, RGB.
 *
 * Sizes are checked from the header before any pixel is decoded. Throws `unsupported-format`, `image-too-large` or
 * `undecodable-image`, whatever the bytes.
 */
export async function decode(bytes: Uint8Array, geometry: Geometry, loadCodec: LoadCodec): Promise<RgbImage> {
  const kernel = await loadOrFail(loadCodec)("resample");
  let resampler: Resampler | undefined;
  const open: PixelTarget["open"] = (...source) => {
    resampler = new Resampler(kernel, geometry, ...source);
    return resampler;
  };
  try {
    const { orientation } = await run(bytes, loadCodec, { enough: geometry.size * 2, open });
    if (!resampler) throw new Problem("undecodable-image", "The image has no pixels.");
    return orient(resampler.image(), orientation);
  } finally {
    resampler?.release();
  }
}

/**
 * Decodes a small picture (at most `EXACT_SIDE` pixels a side: a thumbnail made before) as it is, without resampling.
 * Throws what `decode` throws.
 */
export async function decodeExact(bytes: Uint8Array, loadCodec: LoadCodec): Promise<RgbImage> {
  let copy: Copy | undefined;
  const header = await run(
    bytes,
    loadCodec,
    {
      enough: Number.POSITIVE_INFINITY,
      open: (width, height, stride) => (copy = new Copy(width, height, stride)),
    },
    checkExactSide,
  );
  if (!copy) throw new Problem("undecodable-image", "The image has no pixels.");
  return orient(copy, header.orientation);
}

async function run(
  bytes: Uint8Array,
  loadCodec: LoadCodec,
  target: PixelTarget,
  check?: (header: Header) => void,
): Promise<Header> {
  const format = sniff(bytes);
  const open = OPENERS[format];
  try {
    const source = open(bytes);
    check?.(source.header);
    await source.decode(target, loadOrFail(loadCodec));
    return source.header;
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (error instanceof OutOfMemory) {
      const most = `${DECODER_MEMORY / 2 ** 20} MiB`;
      const detail = `Expected an image whose decoder needs at most ${most}; this ${format.toUpperCase()} image needs more.`;
      throw new Problem("image-too-large", detail, error);
    }
    throw new Problem("undecodable-image", `The ${format.toUpperCase()} image is damaged.`, error);
  }
}

/** A codec that cannot be loaded is the service's fault, not the image's. */
function loadOrFail(loadCodec: LoadCodec): LoadCodec {
  return (name) =>
    loadCodec(name).catch((cause: unknown) => {
      throw new Problem("internal-error", "An image codec could not be loaded.", cause);
    });
}

function checkExactSide({ width, height }: Header): void {
  if (width <= EXACT_SIDE && height <= EXACT_SIDE) return;
  throw new Problem("image-too-large", `Expected at most ${EXACT_SIDE} pixels a side; ${width} x ${height} came.`);
}

/** Keeps the rows as they come. */
class Copy implements RowSink, RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  readonly #stride: number;
  #to = 0;

  constructor(width: number, height: number, stride: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height * 3);
    this.#stride = stride;
  }

  push(row: Uint8Array, offset: number): void {
    const grey = this.#stride < 3;
    for (let x = 0; x < this.width; x++) {
      const from = offset + x * this.#stride;
      for (let channel = 0; channel < 3; channel++) this.data[this.#to++] = row[grey ? from : from + channel] ?? 0;
    }
  }
}
