import { Problem } from "../errors.ts";
import type { LoadCodec, OpenSource, PixelTarget, RowSink } from "./image.ts";
import { type JpegHeader, readJpegMarkers } from "./jpeg-markers.ts";
import { checkPixels } from "./limits.ts";
import { withDecompressed } from "./turbojpeg.ts";

const MAX_PIXELS = 100e6;
const MAX_SCANS = 100;

/** Baseline and progressive JPEG through TurboJPEG, at the smallest scale k/8 that keeps enough pixels. */
export const openJpeg: OpenSource = (bytes) => {
  const header = readJpegMarkers(bytes);
  checkPixels("JPEG", header, MAX_PIXELS);
  if (header.scans > MAX_SCANS) {
    throw new Problem(
      "undecodable-image",
      `Expected at most ${MAX_SCANS} scans in a JPEG image; ${header.scans} came.`,
    );
  }
  return { header, decode: (target, loadCodec) => decodeScaled(bytes, header, target, loadCodec) };
};

async function decodeScaled(
  bytes: Uint8Array,
  header: JpegHeader,
  target: PixelTarget,
  loadCodec: LoadCodec,
): Promise<void> {
  const eighths = scaleFor(header, target);
  const extent = { width: (header.width * eighths) / 8, height: (header.height * eighths) / 8 };
  const width = Math.ceil(extent.width);
  const height = Math.ceil(extent.height);
  const format = header.components.length === 1 ? "grey" : header.components.length === 4 ? "cmyk" : "rgb";
  await withDecompressed({ jpeg: withEnd(bytes, header), width, height, format }, loadCodec, (pixels, warning) => {
    if (warning && !header.complete) throw new Problem("undecodable-image", "The JPEG image is truncated.");
    if (format === "cmyk") pushCmyk(pixels, width, height, target.open(width, height, 3, extent));
    else
      pushRows(
        pixels,
        width * (format === "grey" ? 1 : 3),
        height,
        target.open(width, height, format === "grey" ? 1 : 3, extent),
      );
  });
}

/** The smallest numerator of a DCT scale k/8 that leaves `target.enough` pixels on the shorter side. */
function scaleFor(header: JpegHeader, target: PixelTarget): number {
  const shorter = Math.min(header.width, header.height);
  return Math.min(8, Math.max(1, Math.ceil((target.enough * 8) / shorter)));
}

/** The file up to its EOI; one is added if it is missing, so that libjpeg complains about missing pixels alone. */
function withEnd(bytes: Uint8Array, header: JpegHeader): Uint8Array {
  if (header.complete) return bytes.subarray(0, header.end);
  const ended = new Uint8Array(bytes.length + 2);
  ended.set(bytes);
  ended.set([0xff, 0xd9], bytes.length);
  return ended;
}

function pushRows(pixels: Uint8Array, rowBytes: number, height: number, sink: RowSink): void {
  for (let y = 0; y < height; y++) sink.push(pixels, y * rowBytes);
}

/** CMYK to RGB as Pillow's `convert("RGB")`: no profile, and values taken for inverted ones, as Adobe writes them. */
function pushCmyk(pixels: Uint8Array, width: number, height: number, sink: RowSink): void {
  const row = new Uint8Array(width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0, from = y * width * 4, to = 0; x < width; x++, from += 4, to += 3) {
      const light = pixels[from + 3] as number;
      for (let channel = 0; channel < 3; channel++) {
        const product = (pixels[from + channel] as number) * light + 128;
        row[to + channel] = (product + (product >> 8)) >> 8;
      }
    }
    sink.push(row, 0);
  }
}
