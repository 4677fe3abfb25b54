import { describe, expect, test } from "vitest";
import { openAvif } from "../../src/imaging/avif.ts";
import { crc32 } from "../../src/imaging/crc32.ts";
import { decodeExact, EXACT_SIDE } from "../../src/imaging/decode.ts";
import { encoders } from "../../src/imaging/encode.ts";
import { openGif } from "../../src/imaging/gif.ts";
import type { OpenSource } from "../../src/imaging/image.ts";
import { openJpeg } from "../../src/imaging/jpeg.ts";
import { openPng } from "../../src/imaging/png.ts";
import { openWebp } from "../../src/imaging/webp.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { goldenFile, noise } from "./golden.ts";

function pngOf(width: number, height: number, interlace: 0 | 1): Uint8Array {
  const file = goldenFile("rgb-8.png");
  const view = new DataView(file.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  file[28] = interlace;
  view.setUint32(29, crc32(file, 12, 29));
  return file;
}

function jpegOf(width: number, height: number): Uint8Array {
  const file = goldenFile("baseline-444.jpeg");
  const frame = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0);
  new DataView(file.buffer).setUint32(frame + 5, height * 65_536 + width);
  return file;
}

/** A VP8 frame's or VP8L's header with nothing behind it. */
function webpOf(kind: "VP8 " | "VP8L", width: number, height: number): Uint8Array {
  const file = goldenFile(kind === "VP8 " ? "lossy.webp" : "lossless.webp");
  const view = new DataView(file.buffer);
  if (kind === "VP8 ") {
    view.setUint16(26, width, true);
    view.setUint16(28, height, true);
  } else view.setUint32(21, (width - 1) | ((height - 1) << 14), true);
  return file;
}

/** A VP8X canvas around a small frame. */
function webpCanvasOf(width: number, height: number): Uint8Array {
  const file = goldenFile("lossy-alpha.webp");
  file.set([width - 1, (width - 1) >> 8, (width - 1) >> 16], 24);
  file.set([height - 1, (height - 1) >> 8, (height - 1) >> 16], 27);
  return file;
}

function gifOf(width: number, height: number): Uint8Array {
  const file = goldenFile("plain.gif");
  const view = new DataView(file.buffer);
  view.setUint16(6, width, true);
  view.setUint16(8, height, true);
  return file;
}

/** The golden GIF with two 16-bit fields of its frame's descriptor changed. */
function gifWithFrame(name: string, field: number, first: number, second: number): Uint8Array {
  const file = goldenFile(name);
  const view = new DataView(file.buffer);
  const paletteEnd = 13 + 3 * 2 ** (((file[10] ?? 0) & 7) + 1);
  const frame = file.indexOf(0x2c, paletteEnd) + 1;
  view.setUint16(frame + field, first, true);
  view.setUint16(frame + field + 2, second, true);
  return file;
}

const interlacedGifOf = (width: number, height: number) => gifWithFrame("interlaced.gif", 4, width, height);
/** Its frame, of 37 x 29 pixels, begins so far to the right, or so far down, that it widens the canvas. */
const shiftedGifOf = (left: number, top: number) => gifWithFrame("plain.gif", 0, left, top);

function avifOf(width: number, height: number): Uint8Array {
  const file = goldenFile("plain.avif");
  const text = String.fromCharCode(...file);
  const view = new DataView(file.buffer);
  view.setUint32(text.indexOf("ispe") + 8, width);
  view.setUint32(text.indexOf("ispe") + 12, height);
  return file;
}

/** Each limit by a file whose header says so, just inside and just outside. */
test.each<[string, OpenSource, Uint8Array, Uint8Array]>([
  ["PNG pixels", openPng, pngOf(8000, 5000, 0), pngOf(8000, 5001, 0)],
  ["PNG width", openPng, pngOf(65_535, 9, 0), pngOf(65_536, 9, 0)],
  ["PNG height", openPng, pngOf(1, 65_535, 0), pngOf(1, 65_536, 0)],
  ["interlaced PNG height", openPng, pngOf(1, 65_535, 1), pngOf(1, 65_536, 1)],
  ["interlaced PNG pixels", openPng, pngOf(4000, 1999, 1), pngOf(4000, 2000, 1)],
  ["JPEG pixels", openJpeg, jpegOf(10_000, 10_000), jpegOf(10_000, 10_001)],
  ["lossy WebP pixels", openWebp, webpOf("VP8 ", 3468, 2000), webpOf("VP8 ", 3469, 2000)],
  ["lossless WebP pixels", openWebp, webpOf("VP8L", 2312, 2000), webpOf("VP8L", 2313, 2000)],
  ["WebP canvas width", openWebp, webpCanvasOf(65_535, 99), webpCanvasOf(65_536, 99)],
  ["WebP canvas height", openWebp, webpCanvasOf(99, 65_535), webpCanvasOf(99, 65_536)],
  ["GIF canvas width", openGif, shiftedGifOf(65_498, 0), shiftedGifOf(65_499, 0)],
  ["GIF canvas height", openGif, shiftedGifOf(0, 65_506), shiftedGifOf(0, 65_507)],
  ["GIF pixels", openGif, gifOf(8000, 5000), gifOf(8000, 5001)],
  ["interlaced GIF pixels", openGif, interlacedGifOf(8000, 3999), interlacedGifOf(8000, 4000)],
  ["AVIF pixels", openAvif, avifOf(1920, 1137), avifOf(1920, 1138)],
  ["AVIF width", openAvif, avifOf(65_535, 33), avifOf(65_536, 33)],
  ["AVIF height", openAvif, avifOf(33, 65_535), avifOf(33, 65_536)],
])("%s: inside accepted, outside refused by the header alone", (_name, open, inside, outside) => {
  expect(() => open(inside)).not.toThrow();
  const refusal = expect.objectContaining({ code: "image-too-large", status: 413 });
  expect(() => open(outside)).toThrow(refusal);
  expect(() => open(outside)).toThrow(/^Expected .+ came/);
});

test("a JPEG, which cannot be longer, may be as long as its header can say", () => {
  expect(openJpeg(jpegOf(65_535, 99)).header).toMatchObject({ width: 65_535 });
  expect(openJpeg(jpegOf(99, 65_535)).header).toMatchObject({ height: 65_535 });
});

test("a file of some bytes that says 1 x 40,000,000 pixels is refused by its side", () => {
  expect(() => openPng(pngOf(1, 40e6, 0))).toThrow(
    "Expected at most 65535 pixels a side in a PNG image; 1 x 40000000 came.",
  );
});

test.each<[string, OpenSource, Uint8Array]>([
  ["PNG", openPng, pngOf(0, 5, 0)],
  ["JPEG", openJpeg, jpegOf(5, 0)],
  ["WebP", openWebp, webpOf("VP8 ", 0, 5)],
  ["AVIF", openAvif, avifOf(5, 0)],
])("a %s image without pixels is refused", (_name, open, file) => {
  expect(() => open(file)).toThrow(expect.objectContaining({ code: "undecodable-image" }));
});

describe("scans of a JPEG", () => {
  test.each([
    [100, true],
    [101, false],
  ])("%i: accepted %s", (scans, accepted) => {
    const file = goldenFile("progressive.jpeg");
    const scan = file.findLastIndex((byte, i) => byte === 0xff && file[i + 1] === 0xda);
    const body = [...file.subarray(scan, -2)];
    const original = openJpeg(file).header as { scans?: number };
    const more = scans - (original.scans ?? 0);
    const longer = Uint8Array.from([...file.subarray(0, -2), ...Array(more).fill(body).flat(), 0xff, 0xd9]);
    if (accepted) expect(openJpeg(longer).header).toMatchObject({ scans });
    else expect(() => openJpeg(longer)).toThrow("Expected at most 100 scans in a JPEG image; 101 came.");
  });
});

test("decodeExact takes pictures of its longest side and no longer ones", async () => {
  const longest = noise(EXACT_SIDE, 3);
  const file = await encoders.png.encode(longest, { quality: 80 }, loadCodec);
  expect(await decodeExact(file, loadCodec)).toEqual(longest);
  const longer = await encoders.png.encode(noise(3, EXACT_SIDE + 1), { quality: 80 }, loadCodec);
  await expect(decodeExact(longer, loadCodec)).rejects.toMatchObject({ code: "image-too-large" });
});
