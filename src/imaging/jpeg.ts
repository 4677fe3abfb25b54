import { Problem } from "../errors.ts";
import type { LoadCodec, OpenSource, PixelTarget, RowSink } from "./image.ts";
import { type Kept, planeBytes } from "./jpeg-coefficients.ts";
import { cmykToRgb } from "./jpeg-color.ts";
import { type JpegHeader, readJpegMarkers } from "./jpeg-markers.ts";
import { decodeReduced } from "./jpeg-reduced.ts";
import { checkPixels, DECODER_MEMORY, HEAP_BUDGET } from "./limits.ts";
import { withDecompressed } from "./turbojpeg.ts";

// The time is bounded by the pixels (a grey file spends as little as 1/32 bit on one), the memory by the scale: at 1/8
// 100 M pixels are 4.7 MB.
const MAX_PIXELS = 100e6;
// libjpeg's own scripts write 10 scans, optimisers up to some 20; each costs a pass over all blocks.
const MAX_SCANS = 100;
// libjpeg's code, stack and rows: 3 samples x 16 lines x 65500 columns at most.
const WORKING_BYTES = 4e6;

/**
 * Baseline and progressive JPEG: at the smallest scale k/8 that keeps enough pixels, decoded by TurboJPEG within the
 * DCT; or, of large progressive files, of which libjpeg would have to hold all coefficients, from a few of them.
 *
 * A file that ends before its pixels do is refused (as by Pillow); one that lacks nothing but the end marker is not.
 * What libjpeg merely warns of within a complete file is accepted, also as by Pillow.
 */
export const openJpeg: OpenSource = (bytes) => {
  const header = readJpegMarkers(bytes);
  checkPixels("JPEG", header, MAX_PIXELS);
  if (header.scans > MAX_SCANS) {
    throw new Problem(
      "undecodable-image",
      `Expected at most ${MAX_SCANS} scans in a JPEG image; ${header.scans} came.`,
    );
  }
  return {
    header,
    async decode(target, loadCodec) {
      const eighths = scaleFor(header, target);
      const kept = reducedTo(header, eighths, target);
      // Missing scans would go unnoticed there: a file without an end is not known to have brought them all.
      if (kept && !header.complete) throw truncated();
      if (kept) decodeReduced(bytes, header, kept, target);
      else await decodeScaled(bytes, header, eighths, target, loadCodec);
    },
  };
};

/**
 * The smallest numerator of a DCT scale k/8 that leaves `target.enough` pixels on the shorter side, if the picture
 * fits.
 */
function scaleFor(header: JpegHeader, target: PixelTarget): number {
  const shorter = Math.min(header.width, header.height);
  let eighths = Math.min(8, Math.max(1, Math.ceil((target.enough * 8) / shorter)));
  // Of a very long picture the other side would be enormous.
  while (eighths > 1 && scaledMemory(header, eighths) > DECODER_MEMORY) eighths--;
  return eighths;
}

/**
 * The coefficients to keep if the picture shall be decoded from few of them: where libjpeg would hold all of them, and
 * 2 x 2 give pixels enough (in a third of the time) or all do not fit.
 */
function reducedTo(header: JpegHeader, eighths: number, target: PixelTarget): Kept | undefined {
  const { width, height, components, hMax, vMax, buffered, end } = header;
  if (!buffered) return undefined;
  const samples = components.reduce((sum, { h, v }) => sum + (width * height * h * v) / (hMax * vMax), 0);
  // Subsampled chroma has half the pixels across, of which it needs some margin, too.
  const wanted = samples < width * height * components.length ? 1.5 * target.enough : target.enough;
  const fits = scaledMemory(header, eighths) + 2 * samples <= DECODER_MEMORY;
  if (fits && Math.min(width, height) / 4 < wanted) return undefined;
  return end + planeBytes(header, 4) <= HEAP_BUDGET ? 4 : 1;
}

/** Bytes at TurboJPEG's peak, coefficients apart: the file twice and the scaled picture. */
function scaledMemory({ width, height, components, end }: JpegHeader, eighths: number): number {
  return 2 * end + (width * height * components.length * eighths ** 2) / 64 + WORKING_BYTES;
}

async function decodeScaled(
  bytes: Uint8Array,
  header: JpegHeader,
  eighths: number,
  target: PixelTarget,
  loadCodec: LoadCodec,
): Promise<void> {
  const extent = { width: (header.width * eighths) / 8, height: (header.height * eighths) / 8 };
  const width = Math.ceil(extent.width);
  const height = Math.ceil(extent.height);
  const format = header.components.length === 1 ? "grey" : header.components.length === 4 ? "cmyk" : "rgb";
  await withDecompressed({ jpeg: withEnd(bytes, header), width, height, format }, loadCodec, (pixels, warning) => {
    if (warning && !header.complete) throw truncated();
    if (format === "cmyk") pushCmyk(pixels, width, height, target.open(width, height, 3, extent));
    else {
      const stride = format === "grey" ? 1 : 3;
      pushRows(pixels, width * stride, height, target.open(width, height, stride, extent));
    }
  });
}

/** The file up to its EOI; one is added if it is missing, so that libjpeg complains about missing pixels alone. */
function withEnd(bytes: Uint8Array, header: JpegHeader): Uint8Array {
  if (header.complete) return bytes.subarray(0, header.end);
  let length = bytes.length;
  // Cameras and file systems fill up with zeros; the last byte of a scan is none, but behind 0xff.
  while (length > 2 && bytes[length - 1] === 0 && bytes[length - 2] !== 0xff) length--;
  const ended = new Uint8Array(length + 2);
  ended.set(bytes.subarray(0, length));
  ended.set([0xff, 0xd9], length);
  return ended;
}

function pushRows(pixels: Uint8Array, rowBytes: number, height: number, sink: RowSink): void {
  for (let y = 0; y < height; y++) sink.push(pixels, y * rowBytes);
}

function pushCmyk(pixels: Uint8Array, width: number, height: number, sink: RowSink): void {
  const rgb = new Uint8Array(width * 3);
  for (let y = 0; y < height; y++) {
    cmykToRgb(pixels, y * width * 4, rgb);
    sink.push(rgb, 0);
  }
}

function truncated(): Problem {
  return new Problem("undecodable-image", "The JPEG image is truncated.");
}
