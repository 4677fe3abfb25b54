import { expect, test } from "vitest";
import { sniff } from "../../src/imaging/sniff.ts";
import { goldenFile } from "./golden.ts";

test.each([
  ["progressive.jpeg", "jpeg"],
  ["rgb-8.png", "png"],
  ["lossy.webp", "webp"],
  ["animated.webp", "webp"],
  ["plain.gif", "gif"],
  ["plain.avif", "avif"],
])("%s is %s", (name, format) => {
  expect(sniff(goldenFile(name))).toBe(format);
});

test.each([
  ["", "an empty file"],
  ["<!DOCTYPE html><html>", "an HTML page"],
  ["\n <html lang=en>", "an HTML page"],
  ['<svg xmlns="http://www.w3.org/2000/svg">', "an SVG document"],
  ['<?xml version="1.0"?>\n<!-- made -->\n<svg>', "an SVG document"],
  ["<?xml version='1.0'?><rss>", "an XML document"],
  ["%PDF-1.7", "a PDF document"],
  ["II*\0", "a TIFF image"],
  ["BM1234", "a BMP image"],
  ["\0\0\0\x18ftypheic\0\0\0\0", "a HEIC image"],
  ["\xff\xd8", "something else"],
  ["GIF88a", "something else"],
  ["\x89PNG\r\n\x1a", "something else"],
  ["RIFF\0\0\0\0WAVE", "something else"],
])("%j is refused as %s", (text, name) => {
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  expect(() => sniff(bytes)).toThrow(`Expected a JPEG, PNG, WebP, GIF or AVIF image; ${name} came.`);
  expect(() => sniff(bytes)).toThrow(expect.objectContaining({ code: "unsupported-format", status: 415 }));
});

test("an AVIF whose major brand is another one is known by its compatible brands", () => {
  const file = goldenFile("plain.avif");
  file.set([0x6d, 0x69, 0x66, 0x31], 8);
  expect(sniff(file)).toBe("avif");
});

test("a hostile beginning is judged at once", () => {
  const comments = `<?xml?>${"<!-- --> ".repeat(200_000)}`;
  const started = performance.now();
  expect(() => sniff(new TextEncoder().encode(comments))).toThrow("an XML document");
  expect(performance.now() - started).toBeLessThan(1000);
});
