/** Every kind of image through the built Worker: a right thumbnail or a clear 4xx, never a 5xx, whatever came before. */
import { crc32 } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorker, type TestWorker } from "./harness.ts";

const SOURCE = "examples/photos/church.jpg";

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

/** The photo enlarged to `megapixels` (3:2). */
const photo = (megapixels: number) => {
  const height = Math.round(Math.sqrt((megapixels * 1e6) / 1.5));
  return sharp(SOURCE).resize(Math.round(height * 1.5), height, { fit: "fill", kernel: "cubic" });
};
const frames = async () => {
  const upright = await sharp(SOURCE).png().toBuffer();
  const inverted = await sharp(SOURCE).negate({ alpha: false }).png().toBuffer();
  return sharp([upright, inverted], { join: { animated: true } });
};

async function thumbnail(image: Buffer): Promise<Response> {
  return worker.fetch("/thumbnail/size=112", { method: "POST", body: new Uint8Array(image) });
}

/** Mean absolute difference to the small photo, prescaled and averaged down by sharp: far below that of another picture. */
async function distance(response: Response): Promise<number> {
  const pixels = await sharp(Buffer.from(await response.arrayBuffer()))
    .raw()
    .toBuffer();
  const expected = await sharp(SOURCE)
    .resize(112, 112, { fit: "fill", kernel: "cubic" })
    .removeAlpha()
    .raw()
    .toBuffer();
  return pixels.reduce((sum, value, i) => sum + Math.abs(value - (expected[i] ?? 0)), 0) / pixels.length;
}

const ACCEPTED: [string, () => Sharp | Promise<Sharp>][] = [
  ["a JPEG of 12 megapixels", () => photo(12).jpeg()],
  ["a progressive JPEG of 12 megapixels", () => photo(12).jpeg({ progressive: true })],
  [
    "a progressive 4:4:4 JPEG of 20 megapixels",
    () => photo(20).jpeg({ progressive: true, chromaSubsampling: "4:4:4" }),
  ],
  ["a grey JPEG", () => photo(0.5).grayscale().jpeg()],
  ["a CMYK JPEG", () => photo(2).toColourspace("cmyk").jpeg()],
  ["a PNG of 12 megapixels", () => photo(12).png({ compressionLevel: 1 })],
  ["a PNG of 16 bits", () => photo(2).toColourspace("rgb16").png({ compressionLevel: 1 })],
  ["a palette PNG", () => photo(0.2).png({ palette: true })],
  ["an interlaced PNG", () => photo(0.5).png({ progressive: true })],
  ["a PNG with alpha", () => photo(0.2).ensureAlpha(0.5).png()],
  ["a lossy WebP", () => photo(2).webp()],
  ["a lossless WebP", () => photo(1).webp({ lossless: true, effort: 0 })],
  ["an animated WebP, by its first frame", async () => (await frames()).webp({ quality: 95 })],
  ["a GIF", () => photo(0.2).gif({ effort: 1 })],
  ["an animated GIF, by its first frame", async () => (await frames()).gif({ effort: 1 })],
  ["an AVIF", () => photo(1).avif({ effort: 0 })],
];

describe("the thumbnail", () => {
  it.each(ACCEPTED)(
    "of %s is right",
    async (name, make) => {
      const response = await thumbnail(await (await make()).toBuffer());
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
      // Grey loses colours, and CMYK is converted as Pillow does, without its profile. The inverted frame is above 60.
      expect(await distance(response)).toBeLessThan(/grey|CMYK/.test(name) ? 30 : 15);
    },
    60_000,
  );
});

const REFUSED: [string, () => Promise<Buffer>, number][] = [
  ["a JPEG of 200 megapixels", async () => enlarge(await photo(0.1).jpeg().toBuffer(), [0xff, 0xc0], 5), 413],
  ["a PNG of 4 gigapixels", async () => claim(await photo(0.1).png().toBuffer(), 65_535, 65_535), 413],
  ["an AVIF of 12 megapixels", () => photo(12).avif({ effort: 0, quality: 20 }).toBuffer(), 413],
  ["an SVG", async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 415],
  ["a TIFF", () => photo(0.1).tiff().toBuffer(), 415],
  ["a truncated PNG", async () => (await photo(0.5).png().toBuffer()).subarray(0, 20_000), 422],
  ["a truncated WebP", async () => (await photo(0.5).webp().toBuffer()).subarray(0, 2000), 422],
];

/** Overwrites the 16-bit height and width that follow a marker. */
function enlarge(image: Buffer, marker: number[], offset: number): Buffer {
  const at = image.indexOf(Buffer.from(marker)) + offset;
  image.writeUInt16BE(14_000, at);
  image.writeUInt16BE(14_500, at + 2);
  return image;
}

/** A PNG whose header claims another size. */
function claim(png: Buffer, width: number, height: number): Buffer {
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

describe("a clear refusal", () => {
  it.each(REFUSED)(
    "answers %s, and the next good image is unharmed",
    async (_, make, status) => {
      const response = await thumbnail(await make());
      const problem = (await response.json()) as { detail: string };
      expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
      expect(problem.detail.length).toBeGreaterThan(20);
      expect((await thumbnail(await photo(0.2).jpeg().toBuffer())).status).toBe(200);
    },
    60_000,
  );
});
