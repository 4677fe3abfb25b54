import type { PixelStride } from "../../src/imaging/image.ts";
import type { Kept } from "../../src/imaging/jpeg-coefficients.ts";
import { cmykToRgb } from "../../src/imaging/jpeg-color.ts";
import { readJpegMarkers } from "../../src/imaging/jpeg-markers.ts";
import { decodeReduced } from "../../src/imaging/jpeg-reduced.ts";
import { withDecompressed } from "../../src/imaging/turbojpeg.ts";
import { loadCodec } from "../../src/runtime/node.ts";

/** All pixels that come out of the reduced decode. */
export function reduced(file: Uint8Array, kept: Kept): Uint8Array {
  const rows: Uint8Array[] = [];
  const open = (width: number, _height: number, stride: PixelStride) => ({
    push: (row: Uint8Array, offset: number) => rows.push(row.slice(offset, offset + width * stride)),
  });
  decodeReduced(file, readJpegMarkers(file), kept, { enough: 0, open });
  return new Uint8Array(Buffer.concat(rows));
}

/** libjpeg's at the same scale. */
export async function libjpeg(file: Uint8Array, eighths: number): Promise<Uint8Array> {
  const { width, height, components } = readJpegMarkers(file);
  const size = { width: Math.ceil((width * eighths) / 8), height: Math.ceil((height * eighths) / 8) };
  const format = components.length === 1 ? "grey" : components.length === 4 ? "cmyk" : "rgb";
  let pixels = new Uint8Array();
  await withDecompressed({ jpeg: file, ...size, format }, loadCodec, (view) => {
    pixels = view.slice();
  });
  if (format !== "cmyk") return pixels;
  const rgb = new Uint8Array(size.width * size.height * 3);
  cmykToRgb(pixels, 0, rgb);
  return rgb;
}
