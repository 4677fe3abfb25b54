import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readJpegMarkers } from "../../src/imaging/jpeg-markers.ts";
import { difference, goldenFile } from "./golden.ts";
import { libjpeg, reduced } from "./jpeg-pixels.ts";
import { mosaic } from "./large.ts";

const WIDTH = 403;
const HEIGHT = 299;
const { data } = await mosaic(WIDTH, HEIGHT);
const picture = () => sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

/** Takes an Adobe segment's transform for another. */
function adobe(file: Uint8Array, transform: number): Uint8Array {
  const changed = file.slice();
  changed[Buffer.from(file).indexOf("Adobe") + 11] = transform;
  return changed;
}

/** Fills up before every marker of the entropy-coded data, as any may be (T.81, B.1.1.2). */
function filledUp(file: Uint8Array): Uint8Array {
  const start = readJpegMarkers(file).segments.find(({ kind }) => kind === "scan")?.end ?? 0;
  const data = Array.from(file.subarray(start));
  const filled = data.flatMap((byte, i) => (byte === 0xff && data[i + 1] !== 0 ? [byte, byte, byte] : [byte]));
  return Uint8Array.of(...file.subarray(0, start), ...filled);
}

const full = { quality: 85, chromaSubsampling: "4:4:4" };
const cmyk = new Uint8Array(await picture().toColourspace("cmyk").jpeg(full).toBuffer());
const FILES: Record<string, Uint8Array> = {
  baseline: await picture().jpeg(full).toBuffer(),
  progressive: await picture()
    .jpeg({ ...full, progressive: true })
    .toBuffer(),
  "low quality": await picture()
    .jpeg({ ...full, quality: 20, progressive: true })
    .toBuffer(),
  grey: await picture().toColourspace("b-w").jpeg(full).toBuffer(),
  "progressive grey": await picture()
    .toColourspace("b-w")
    .jpeg({ ...full, progressive: true })
    .toBuffer(),
  CMYK: cmyk,
  YCCK: adobe(cmyk, 2),
  "with restart intervals": goldenFile("restarts.jpeg"),
  "with fill bytes before its restart markers": filledUp(goldenFile("restarts.jpeg")),
  RGB: goldenFile("rgb.jpeg"),
};
const SUBSAMPLED: Record<string, Uint8Array> = {
  baseline: await picture().jpeg({ quality: 85 }).toBuffer(),
  progressive: await picture().jpeg({ quality: 85, progressive: true }).toBuffer(),
};

describe("at 1/8 the pixels are libjpeg's", () => {
  test.each(Object.entries(FILES))("%s", async (_name, file) => {
    const expected = await libjpeg(file, 1);
    expect(difference(reduced(file, 1), expected)).toEqual({ mean: 0, max: 0 });
  });
});

describe("at 1/4 the pixels are close to libjpeg's, which takes more coefficients into account", () => {
  test.each(Object.entries(FILES))("%s", async (name, file) => {
    // Of large quantiser steps the refinements that are left out count more; the golden files are a few pixels of sharp
    // detail.
    const bound = name === "low quality" || file.length < 3000 ? 8 : 3;
    expect(difference(reduced(file, 4), await libjpeg(file, 2)).mean).toBeLessThan(bound);
  });
});

describe("with subsampled chroma they are near at both scales", () => {
  test.each(Object.entries(SUBSAMPLED))("%s", async (_name, file) => {
    expect(difference(reduced(file, 1), await libjpeg(file, 1)).mean).toBeLessThan(6);
    expect(difference(reduced(file, 4), await libjpeg(file, 2)).mean).toBeLessThan(6);
  });
});

describe("a baseline and a progressive file of the same coefficients", () => {
  const { progressive = new Uint8Array(), baseline = new Uint8Array() } = FILES;
  test("give the same picture at 1/8", () => {
    expect(reduced(progressive, 1)).toEqual(reduced(baseline, 1));
  });
  test("differ at 1/4 by the refinements that are left out", () => {
    const { mean, max } = difference(reduced(progressive, 4), reduced(baseline, 4));
    expect(mean).toBeLessThan(1.4);
    expect(max).toBeLessThanOrEqual(8);
  });
});

describe("damage is refused", () => {
  test.each(Object.entries({ ...FILES, ...SUBSAMPLED }))("%s, cut off in its first scan", (_name, file) => {
    const { segments } = readJpegMarkers(file);
    const scan = segments.find(({ kind }) => kind === "scan");
    const cut = file.slice(0, (scan?.end ?? 0) + ((scan?.dataEnd ?? 0) - (scan?.end ?? 0)) / 2);
    expect(() => reduced(cut, 1)).toThrow(expect.objectContaining({ code: "undecodable-image" }));
  });
});
