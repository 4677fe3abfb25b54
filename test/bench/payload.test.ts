import sharp from "sharp";
import { expect, test } from "vitest";
import { payload } from "../../bench/payload.ts";
import { encoders, FORMATS } from "../../src/imaging/encode.ts";
import { loadCodec } from "../../src/runtime/node.ts";

const image = { width: 64, height: 48, data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * i) >> 5) };

test.each(FORMATS)("the picture in a file of %s is the file without a container of one length", async (format) => {
  const flat = { ...image, data: new Uint8Array(image.data.length) };
  const [rich, poor] = await Promise.all(
    [image, flat].map((i) => encoders[format].encode(i, { quality: 60 }, loadCodec)),
  );
  if (!rich || !poor) throw new Error("Expected two files.");
  const [more, less] = [payload(format, rich), payload(format, poor)];
  expect(more).toBeLessThan(rich.length);
  expect(more).toBeGreaterThan(0);
  expect(less).toBeLessThanOrEqual(more);
  // A JPEG's Huffman tables are its own.
  if (format !== "jpeg") expect(rich.length - more).toBe(poor.length - less);
});

test.each(["jpeg", "webp", "png", "avif"] as const)("metadata in a %s file is not the picture", async (format) => {
  const plain = sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });
  const bare = await plain.clone().toFormat(format).toBuffer();
  const told = await plain
    .clone()
    .withExif({ IFD0: { Copyright: "nobody" } })
    .toFormat(format)
    .toBuffer();
  expect(told.length).toBeGreaterThan(bare.length);
  // AVIF keeps its Exif block in the same box as the picture.
  if (format !== "avif") expect(payload(format, told)).toBe(payload(format, bare));
});

test("a file that ends in the middle of a header is refused", () => {
  expect(() => payload("jpeg", new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 2]))).toThrow("scan");
});
