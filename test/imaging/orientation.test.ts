import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decode, decodeExact } from "../../src/imaging/decode.ts";
import { exifOrientation } from "../../src/imaging/exif.ts";
import type { Orientation, RgbImage } from "../../src/imaging/image.ts";
import { readJpegMarkers } from "../../src/imaging/jpeg-markers.ts";
import { orient } from "../../src/imaging/orient.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { difference, goldenFile, goldenPixels } from "./golden.ts";

const ALL: Orientation[] = [1, 2, 3, 4, 5, 6, 7, 8];
const image = goldenPixels("alpha.png.npy");

/** Pixel values `letters` of a picture of `width`, as grey RGB. */
function letters(width: number, text: string): RgbImage {
  const data = Uint8Array.from([...text].flatMap((letter) => Array(3).fill(letter.charCodeAt(0))));
  return { width, height: text.length / width, data };
}

test.each<[Orientation, number, string]>([
  [1, 3, "abcdef"],
  [2, 3, "cbafed"],
  [3, 3, "fedcba"],
  [4, 3, "defabc"],
  [5, 2, "adbecf"],
  [6, 2, "daebfc"],
  [7, 2, "fcebda"],
  [8, 2, "cfbead"],
])("orientation %i turns abc/def upright", (orientation, width, expected) => {
  expect(orient(letters(3, "abcdef"), orientation)).toEqual(letters(width, expected));
});

describe.each(["jpeg", "png", "webp", "avif"] as const)("%s", (format) => {
  test.each(ALL)("with orientation %i comes out upright, as from sharp", async (orientation) => {
    const stored = sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });
    const options = { quality: 95, lossless: true, chromaSubsampling: "4:4:4" };
    const file = await stored.withMetadata({ orientation }).toFormat(format, options).toBuffer();
    const upright = await sharp(file).autoOrient().removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const actual = await decodeExact(file, loadCodec);
    expect([actual.width, actual.height]).toEqual([upright.info.width, upright.info.height]);
    expect(difference(actual.data, upright.data).max).toBeLessThanOrEqual(2);
  });
});

test("a turned photo reduced is the reduced photo turned", async () => {
  const stored = sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });
  const geometry = { size: 16, filter: "bilinear", fit: "cover" } as const;
  const plain = await decode(await stored.clone().png().toBuffer(), geometry, loadCodec);
  const turned = await decode(await stored.withMetadata({ orientation: 6 }).png().toBuffer(), geometry, loadCodec);
  expect(turned).toEqual(orient(plain, 6));
});

const good = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0];

describe("of several EXIF segments of a JPEG the first tells", () => {
  const exif = (body: number[]) => [0xff, 0xe1, 0, 8 + body.length, ...Buffer.from("Exif\0\0"), ...body];
  test.each<[string, number[], Orientation]>([
    ["whatever continues it", [...exif(good), ...exif([...Buffer.from("the rest of a long one")])], 6],
    ["whatever another one says", [...exif(good), ...exif(good.with(19, 3))], 6],
  ])("%s", (_name, segments, orientation) => {
    const file = goldenFile("grey.jpeg");
    const header = readJpegMarkers(Uint8Array.of(...file.subarray(0, 2), ...segments, ...file.subarray(2)));
    expect(header.orientation).toBe(orientation);
  });
});

describe("EXIF that makes no sense means upright", () => {
  test("this one is good", () => expect(exifOrientation(Uint8Array.from(good))).toBe(6));
  test("and so is its little-endian twin", () => {
    const twin = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
    expect(exifOrientation(Uint8Array.from(twin))).toBe(6);
  });
  test.each([
    ["empty", []],
    ["another byte order mark", [0x4e, ...good.slice(1)]],
    ["another magic number", [...good.slice(0, 3), 43, ...good.slice(4)]],
    ["a directory behind the end", [...good.slice(0, 4), 0xff, 0xff, 0xff, 0xff, ...good.slice(8)]],
    ["more entries than bytes", [...good.slice(0, 8), 0xff, 0xff, 0, 0, ...good.slice(12)]],
    ["a long for a short", [...good.slice(0, 13), 4, ...good.slice(14)]],
    ["orientation 0", [...good.slice(0, 19), 0, 0, 0]],
    ["orientation 9", [...good.slice(0, 19), 9, 0, 0]],
    ["cut short", good.slice(0, 20)],
  ])("%s", (_name, bytes) => {
    expect(exifOrientation(Uint8Array.from(bytes))).toBe(1);
  });
});
