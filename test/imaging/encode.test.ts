import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodeExact } from "../../src/imaging/decode.ts";
import { encoders, type OutputFormat } from "../../src/imaging/encode.ts";
import type { RgbImage } from "../../src/imaging/image.ts";
import { readJpegMarkers } from "../../src/imaging/jpeg-markers.ts";
import { decodeNpy, encodeNpy, isNpy } from "../../src/imaging/npy.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { difference, goldenFile, goldenNames, goldenPixels, noise } from "./golden.ts";

const photo = goldenPixels("resample-301x203-56-bilinear-fill.npy");
const smooth = goldenPixels("rgb-transparent.png.npy");
const quality = 80;

async function sharpPixels(file: Uint8Array): Promise<RgbImage> {
  const { data, info } = await sharp(file).toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}

describe("png", () => {
  test.each([
    ["noise", photo],
    ["a smooth picture", smooth],
    ["one pixel", noise(1, 1)],
    ["one row", noise(200, 1)],
    ["one column", noise(1, 200)],
  ])("%s comes back exactly", async (_name, image) => {
    const file = await encoders.png.encode(image, { quality }, loadCodec);
    expect(await sharpPixels(file)).toEqual(image);
    expect(await decodeExact(file, loadCodec)).toEqual(image);
  });

  test("the same picture gives the same bytes, fewer than its pixels", async () => {
    const [first, second] = await Promise.all([0, 1].map(() => encoders.png.encode(smooth, { quality }, loadCodec)));
    expect(first).toEqual(second);
    expect(first?.length).toBeLessThan(smooth.data.length * 0.9);
  });
});

describe.each(["jpeg", "webp", "avif"] as const)("%s", (format) => {
  test("is close to the picture, closer and larger with more quality", async () => {
    const at = async (quality: number) => {
      const file = await encoders[format].encode(smooth, { quality }, loadCodec);
      const decoded = await sharpPixels(file);
      expect([decoded.width, decoded.height]).toEqual([smooth.width, smooth.height]);
      return { bytes: file.length, ...difference(decoded.data, smooth.data) };
    };
    const [poor, good] = await Promise.all([at(20), at(95)]);
    expect(good.mean).toBeLessThan(6);
    expect(good.mean).toBeLessThan(poor.mean);
    expect(good.bytes).toBeGreaterThan(poor.bytes);
  });

  test("the same picture gives the same bytes", async () => {
    const [first, second] = await Promise.all([0, 1].map(() => encoders[format].encode(photo, { quality }, loadCodec)));
    expect(first).toEqual(second);
  });
});

test("JPEG keeps the chroma of every pixel", async () => {
  const file = await encoders.jpeg.encode(photo, { quality }, loadCodec);
  expect(readJpegMarkers(file).components.map(({ h, v }) => [h, v])).toEqual(Array(3).fill([1, 1]));
});

describe("npy", () => {
  test.each(goldenNames(/\.npy$/))("numpy itself would write %s so", (name) => {
    expect(encodeNpy(goldenPixels(name))).toEqual(goldenFile(name));
  });

  const good = encodeNpy(photo);
  const withHeader = (from: string, to: string): Uint8Array =>
    new TextEncoder().encode(new TextDecoder().decode(good.subarray(0, 128)).replace(from, to));
  test.each([
    ["cut short", good.subarray(0, -1)],
    ["with a byte too many", Uint8Array.of(...good, 0)],
    ["of another version", Uint8Array.from(good, (byte, i) => (i === 6 ? 2 : byte))],
    ["of floats", withHeader("|u1", "<f4")],
    ["in Fortran order", withHeader("False", "True ")],
    ["of four channels", withHeader(", 3)", ", 4)")],
    ["of a huge shape", withHeader("(56, 56", "(99999, 99999")],
    ["that ends in its magic", good.subarray(0, 7)],
    ["empty", new Uint8Array()],
  ])("a file %s is refused", (_name, file) => {
    expect(() => decodeNpy(file)).toThrow(expect.objectContaining({ code: "undecodable-image" }));
  });

  test("is told from images by its magic", () => {
    expect(isNpy(good)).toBe(true);
    expect(isNpy(goldenFile("plain.gif"))).toBe(false);
  });
});

test("every format has a content type and an extension of its own", () => {
  const rows = Object.entries(encoders) as [OutputFormat, (typeof encoders)[OutputFormat]][];
  expect(new Set(rows.map(([, { contentType }]) => contentType)).size).toBe(rows.length);
  expect(new Set(rows.map(([, { extension }]) => extension)).size).toBe(rows.length);
});
