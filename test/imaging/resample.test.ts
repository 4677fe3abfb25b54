import { expect, test } from "vitest";
import type { Geometry, RgbImage } from "../../src/imaging/image.ts";
import { Resampler, resample } from "../../src/imaging/resample.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { goldenNames, goldenPixels, noise } from "./golden.ts";

const kernel = await loadCodec("resample");

const NAME = /^resample-(\d+)x(\d+)-(\d+)-(bilinear|bicubic)-(fill|cover|box-([\d.]+)x([\d.]+))\.npy$/;

test.each(goldenNames(NAME))("is Pillow's, bit for bit: %s", (name) => {
  const [, width, height, size, filter, kind, boxWidth, boxHeight] = NAME.exec(name) ?? [];
  const image = noise(Number(width), Number(height));
  const fit = kind === "cover" ? "cover" : "fill";
  const geometry: Geometry = { size: Number(size), filter: filter === "bicubic" ? "bicubic" : "bilinear", fit };
  const extent = boxWidth ? { width: Number(boxWidth), height: Number(boxHeight) } : undefined;
  const resampler = new Resampler(kernel, geometry, image.width, image.height, 3, extent);
  for (let y = 0; y < image.height; y++) resampler.push(image.data, y * image.width * 3);
  expect(resampler.image()).toEqual(goldenPixels(name));
});

test("reads pixels of every stride alike, and takes grey for three equal channels", async () => {
  const grey = noise(61, 47);
  for (let i = 0; i < grey.data.length; i++) grey.data[i] = grey.data[i - (i % 3)] ?? 0;
  const geometry: Geometry = { size: 20, filter: "bicubic", fit: "cover" };
  const expected = await resample(grey, geometry, loadCodec);
  for (const stride of [1, 2, 3, 4] as const) expect(pushAs(stride, grey, geometry)).toEqual(expected);
});

/** The picture in rows of another stride, at an offset, unused bytes set to 200. */
function pushAs(stride: 1 | 2 | 3 | 4, image: RgbImage, geometry: Geometry): RgbImage {
  const resampler = new Resampler(kernel, geometry, image.width, image.height, stride);
  for (let y = 0; y < image.height; y++) {
    const row = new Uint8Array(image.width * stride + 5).fill(200);
    for (let x = 0; x < image.width; x++) {
      const channels = stride < 3 ? 1 : 3;
      row.set(image.data.subarray((y * image.width + x) * 3).subarray(0, channels), 5 + x * stride);
    }
    resampler.push(row, 5);
  }
  return resampler.image();
}
