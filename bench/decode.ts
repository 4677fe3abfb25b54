/**
 * Decoding a photo to the downscaler's 224 x 224 pixels: this service's code against native sharp (libvips,
 * shrink-on-load, one thread), by turns in one process.
 *
 *     npm run bench -- decode [rounds]
 *
 * Error: mean distance, in levels, to Pillow's arithmetic on the full-size pixels that sharp decodes.
 */
import sharp, { type Sharp } from "sharp";
import { decode } from "../src/imaging/decode.ts";
import type { Geometry } from "../src/imaging/image.ts";
import { resample } from "../src/imaging/resample.ts";
import { loadCodec } from "../src/runtime/node.ts";
import { largePicture } from "../test/imaging/large.ts";
import { table, writeResults } from "./report.ts";
import { meanError, median, timed } from "./statistics.ts";

const GEOMETRY: Geometry = { size: 224, filter: "bilinear", fit: "fill" };
const rounds = Number(process.argv[2] ?? 15);
sharp.concurrency(1);
sharp.cache(false);

const SIZES: Record<string, readonly [number, number]> = {
  "0.5": [816, 612],
  "2": [1632, 1224],
  "2.15": [1900, 1130],
  "6": [2828, 2121],
  "12": [4000, 3000],
  "20": [5472, 3648],
};

const ENCODINGS: Record<string, readonly [(image: Sharp) => Sharp, readonly (keyof typeof SIZES)[]]> = {
  "JPEG baseline 4:2:0": [(image) => image.jpeg({ quality: 85 }), ["0.5", "2", "12", "20"]],
  "JPEG baseline 4:4:4": [(image) => image.jpeg({ quality: 90, chromaSubsampling: "4:4:4" }), ["0.5", "2", "12", "20"]],
  "JPEG progressive 4:2:0": [(image) => image.jpeg({ quality: 85, progressive: true }), ["0.5", "2", "12", "20"]],
  "JPEG progressive 4:4:4": [
    (image) => image.jpeg({ quality: 85, progressive: true, chromaSubsampling: "4:4:4" }),
    ["2", "12", "20"],
  ],
  "PNG RGB": [(image) => image.png({ compressionLevel: 6 }), ["0.5", "2", "12"]],
  "WebP lossy": [(image) => image.webp({ quality: 80 }), ["0.5", "2", "6"]],
  "WebP lossless": [(image) => image.webp({ lossless: true, effort: 0 }), ["0.5", "2"]],
  AVIF: [(image) => image.avif({ quality: 60, effort: 0, chromaSubsampling: "4:2:0" }), ["0.5", "2", "2.15"]],
  GIF: [(image) => image.gif({ effort: 1 }), ["0.5", "2"]],
};

interface Row {
  readonly format: string;
  readonly megapixels: string;
  readonly fileKB: number;
  readonly sharpMs: number;
  readonly oursMs: number;
  /** Median over the rounds of our time by sharp's in the same round. */
  readonly ratio: number;
  readonly sharpError: number;
  readonly oursError: number;
}

const rows: Row[] = [];
for (const [format, [encode, sizes]] of Object.entries(ENCODINGS)) {
  for (const megapixels of sizes) rows.push(await compare(format, megapixels, encode));
}
console.log(
  table(
    ["format", "MP", "file KB", "sharp ms", "ours ms", "ours / sharp", "error sharp", "error ours"],
    rows.map((row) => [
      row.format,
      row.megapixels,
      row.fileKB.toFixed(0),
      row.sharpMs.toFixed(1),
      row.oursMs.toFixed(1),
      row.ratio.toFixed(2),
      row.sharpError.toFixed(2),
      row.oursError.toFixed(2),
    ]),
  ),
);
await writeResults("decode", `${rounds}`, { rounds, rows });

async function compare(format: string, megapixels: string, encode: (image: Sharp) => Sharp): Promise<Row> {
  const [width, height] = SIZES[megapixels] ?? [0, 0];
  const file = new Uint8Array(await encode(await largePicture(width, height)).toBuffer());
  const native = () => sharp(file).resize(224, 224, { fit: "fill", kernel: "linear" }).removeAlpha().raw().toBuffer();
  const ours = () => decode(file, GEOMETRY, loadCodec);
  const pixels = await sharp(file).removeAlpha().raw().toBuffer();
  const exact = await resample({ width, height, data: pixels }, GEOMETRY, loadCodec);
  const sharpError = meanError(await native(), exact.data);
  const oursError = meanError((await ours()).data, exact.data);
  const times: { native: number; ours: number }[] = [];
  for (let round = 0; round < rounds; round++) times.push({ native: await timed(native), ours: await timed(ours) });
  const row: Row = {
    format,
    megapixels,
    fileKB: file.length / 1000,
    sharpMs: median(times.map((time) => time.native)),
    oursMs: median(times.map((time) => time.ours)),
    ratio: median(times.map((time) => time.ours / time.native)),
    sharpError,
    oursError,
  };
  process.stderr.write(`${format} ${megapixels} MP: ${row.ratio.toFixed(2)}\n`);
  return row;
}
