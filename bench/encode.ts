/**
 * Encoding thumbnails: bytes, time and error in each format, this service's encoders against sharp's.
 *
 *     npm run bench -- encode [rounds]
 *
 * The thumbnails are the fixture photos reduced to 56 and 112 pixels.
 */
import { readFile } from "node:fs/promises";
import sharp, { type FormatEnum } from "sharp";
import { decode, decodeExact } from "../src/imaging/decode.ts";
import { encoders, type OutputFormat } from "../src/imaging/encode.ts";
import type { RgbImage } from "../src/imaging/image.ts";
import { loadCodec } from "../src/runtime/node.ts";
import { table, writeResults } from "./report.ts";
import { meanError, median, timed } from "./statistics.ts";

const rounds = Number(process.argv[2] ?? 15);
const PHOTOS = ["zebra", "ambulance", "deck-chairs"];
const CASES: readonly (readonly [OutputFormat, number, keyof FormatEnum, object])[] = [
  ["png", 0, "png", { adaptiveFiltering: true, compressionLevel: 9 }],
  ["jpeg", 75, "jpeg", { quality: 75, mozjpeg: true }],
  ["jpeg", 90, "jpeg", { quality: 90, mozjpeg: true }],
  ["webp", 75, "webp", { quality: 75 }],
  ["webp", 90, "webp", { quality: 90 }],
];

interface Row {
  readonly format: string;
  readonly size: number;
  readonly bytes: number;
  readonly sharpBytes: number;
  readonly ms: number;
  readonly sharpMs: number;
  readonly ratio: number;
  readonly error: number;
  readonly sharpError: number;
}

const rows: Row[] = [];
for (const size of [56, 112]) {
  const geometry = { size, filter: "bilinear", fit: "fill" } as const;
  const images = await Promise.all(
    PHOTOS.map(async (name) => decode(await readFile(`test/fixtures/photos/${name}.jpg`), geometry, loadCodec)),
  );
  for (const [format, quality, sharpFormat, options] of CASES) {
    const each: Awaited<ReturnType<typeof compare>>[] = [];
    for (const image of images) each.push(await compare(image, format, quality, sharpFormat, options));
    const mean = (pick: (row: Awaited<ReturnType<typeof compare>>) => number) =>
      each.reduce((sum, row) => sum + pick(row), 0) / each.length;
    rows.push({
      format: quality ? `${format} q${quality}` : format,
      size,
      bytes: mean((row) => row.bytes),
      sharpBytes: mean((row) => row.sharpBytes),
      ms: mean((row) => row.ms),
      sharpMs: mean((row) => row.sharpMs),
      ratio: mean((row) => row.ratio),
      error: mean((row) => row.error),
      sharpError: mean((row) => row.sharpError),
    });
  }
}
console.log(
  table(
    ["format", "size", "bytes", "sharp bytes", "ms", "sharp ms", "ours / sharp", "error", "sharp error"],
    rows.map((row) => [
      row.format,
      String(row.size),
      row.bytes.toFixed(0),
      row.sharpBytes.toFixed(0),
      row.ms.toFixed(2),
      row.sharpMs.toFixed(2),
      row.ratio.toFixed(2),
      row.error.toFixed(2),
      row.sharpError.toFixed(2),
    ]),
  ),
);
await writeResults("encode", `${rounds}`, { rounds, rows });

async function compare(
  image: RgbImage,
  format: OutputFormat,
  quality: number,
  other: keyof FormatEnum,
  options: object,
) {
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  const ours = () => encoders[format].encode(image, { quality }, loadCodec);
  const native = () => sharp(image.data, { raw }).toFormat(other, options).toBuffer();
  const [file, sharpFile] = [await ours(), await native()];
  const times: { ms: number; sharpMs: number }[] = [];
  for (let round = 0; round < rounds; round++) times.push({ ms: await timed(ours), sharpMs: await timed(native) });
  return {
    bytes: file.length,
    sharpBytes: sharpFile.length,
    ms: median(times.map((time) => time.ms)),
    sharpMs: median(times.map((time) => time.sharpMs)),
    ratio: median(times.map((time) => time.ms / time.sharpMs)),
    error: meanError((await decodeExact(file, loadCodec)).data, image.data),
    sharpError: meanError((await decodeExact(sharpFile, loadCodec)).data, image.data),
  };
}
