import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { boxes } from "../../src/imaging/avif-boxes.ts";
import { decodeExact } from "../../src/imaging/decode.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { difference, goldenFile, goldenNames, goldenPixels } from "./golden.ts";

/** Largest and mean distance to Pillow's pixels; exact where nothing is said. */
const TOLERANCES: Record<string, { mean: number; max: number }> = {
  // libavif converts YUV by another route there.
  "plain.avif": { mean: 0.5, max: 1 },
};

describe('every format and colour type is Pillow\'s convert("RGB")', () => {
  test.each(goldenNames(/^(?!resample).*\.(png|jpeg|webp|gif|avif)$/))("%s", async (name) => {
    const expected = goldenPixels(`${name}.npy`);
    const actual = await decodeExact(goldenFile(name), loadCodec);
    expect([actual.width, actual.height]).toEqual([expected.width, expected.height]);
    const { mean, max } = difference(actual.data, expected.data);
    const tolerance = TOLERANCES[name] ?? { mean: 0, max: 0 };
    expect(max).toBeLessThanOrEqual(tolerance.max);
    expect(mean).toBeLessThanOrEqual(tolerance.mean);
  });
});

test("a grey PNG of 16 bits keeps its high bytes, where that conversion makes white of nearly all", async () => {
  const samples = Uint16Array.of(0x0000, 0x00ff, 0x0100, 0x7fff, 0x8000, 0xffff);
  const raw = { raw: { width: 3, height: 2, channels: 1 as const } };
  const file = await sharp(samples, raw).toColourspace("grey16").png().toBuffer();
  expect(file[24]).toBe(16);
  const { data } = await decodeExact(file, loadCodec);
  expect(data).toEqual(Uint8Array.from([...samples].flatMap((sample) => Array(3).fill(sample >> 8))));
});

test.each([8, 11])("a GIF's codes may begin with %i bits", async (bits) => {
  // Two pixels of two colours: clear, 1, 0, end.
  const codes = [1 << bits, 1, 0, (1 << bits) + 1].reduceRight(
    (sum, code) => (sum << BigInt(bits + 1)) | BigInt(code),
    0n,
  );
  const data = Array.from({ length: 6 }, (_, i) => Number((codes >> BigInt(8 * i)) & 255n));
  const header = [...Buffer.from("GIF89a"), 2, 0, 1, 0, 0x80, 0, 0, 10, 20, 30, 40, 50, 60];
  const file = Uint8Array.of(...header, 0x2c, 0, 0, 0, 0, 2, 0, 1, 0, 0, bits, 6, ...data, 0, 0x3b);
  expect((await decodeExact(file, loadCodec)).data).toEqual(Uint8Array.of(40, 50, 60, 10, 20, 30));
});

/** An AVIF whose picture also has a clean aperture, of zeros: not one that the standard allows. */
function withClap(file: Uint8Array): Uint8Array {
  const text = Buffer.from(file).toString("latin1");
  const [ipco, ipma, mdat] = ["ipco", "ipma", "mdat"].map((type) => text.indexOf(type)) as [number, number, number];
  const clap = [0, 0, 0, 40, ...Buffer.from("clap"), ...Array(32).fill(0)];
  const properties = [...boxes(new DataView(file.buffer, ipco + 4, ipma - ipco - 8), 0)].length;
  const grown = file.slice();
  const view = new DataView(grown.buffer);
  for (const type of ["meta", "iprp"])
    view.setUint32(text.indexOf(type) - 4, view.getUint32(text.indexOf(type) - 4) + 41);
  view.setUint32(ipco - 4, view.getUint32(ipco - 4) + 40);
  const ipmaEnd = ipma - 4 + view.getUint32(ipma - 4);
  view.setUint32(ipma - 4, view.getUint32(ipma - 4) + 1);
  view.setUint8(ipma + 14, view.getUint8(ipma + 14) + 1);
  for (let at = text.indexOf("iloc"); at < text.indexOf("iinf"); at++)
    if (view.getUint32(at) === mdat + 4) view.setUint32(at, mdat + 45);
  const associated = 0x80 | (properties + 1);
  return Uint8Array.of(
    ...grown.subarray(0, ipma - 4),
    ...clap,
    ...grown.subarray(ipma - 4, ipmaEnd),
    associated,
    ...grown.subarray(ipmaEnd),
  );
}

test("a clean aperture of an AVIF does not count, whether or not it is one", async () => {
  const file = goldenFile("plain.avif");
  expect(await decodeExact(withClap(file), loadCodec)).toEqual(await decodeExact(file, loadCodec));
});
