/** What one gets without a learned downscaler: the photo's pixels through the service's own bicubic resampler. */
import { Kept } from "../browser/kept.ts";
import type { Geometry, RgbImage } from "../imaging/image.ts";
import { Resampler } from "../imaging/resample.ts";

const kernels = new Kept((file: string) => WebAssembly.compileStreaming(fetch(file)));

/** @throws if the browser cannot decode the photo. */
export async function bicubicThumbnails(photo: Blob, sizes: readonly number[]): Promise<RgbImage[]> {
  const module = await kernels.get("resample.wasm");
  const bitmap = await createImageBitmap(photo, { colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("The browser has no canvas.");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const rows = new Uint8Array(data.buffer);
  return sizes.map((size) => {
    const geometry: Geometry = { size, filter: "bicubic", fit: "fill" };
    const resampler = new Resampler(module, geometry, width, height, 4);
    for (let y = 0; y < height; y++) resampler.push(rows, y * width * 4);
    return resampler.image();
  });
}

/** As canvases take it. */
export function toImageData({ width, height, data }: RgbImage): ImageData {
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    image.data.set(data.subarray(from, from + 3), to);
    image.data[to + 3] = 255;
  }
  return image;
}
