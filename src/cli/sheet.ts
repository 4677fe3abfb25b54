/** `thumbnet-edge sheet`: many thumbnails in one image file, which has one header and takes one request. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encoders } from "../imaging/encode.ts";
import type { RgbImage } from "../imaging/image.ts";
import { decodeNpy } from "../imaging/npy.ts";
import { DEFAULT_QUALITY } from "../pipeline.ts";
import { loadCodec } from "../runtime/node.ts";
import { type Command, UsageError } from "./command.ts";
import { JOBS_OPTION, jobsOf, makeThumbnails } from "./make.ts";
import { findPhotos, type Photo } from "./photos.ts";
import { SPEC_OPTIONS, specOf } from "./spec.ts";

/** Pixels a side; 16 x 16 thumbnails of 56 pixels, or 8 x 8 of 112. The encoders' memory is bounded, and so is a sheet. */
const SHEET_SIDE = 896;

export const sheet: Command = {
  summary: "Makes sheets: many thumbnails in one image file, with an index.",
  usage: "<files, folders or URLs...> --output <folder>",
  details: `Writes sheet-000.png (webp, jpg, avif, npy) and so on, and index.json, which says where on which sheet each photo's thumbnail
is. In png and npy thumbnails keep their pixels; in the others they differ a little from those in files of their own. All are held
in memory until the last is there, 9 KB each at 56 pixels: for millions take "thumbnail" with a .tar.`,
  options: {
    output: { type: "string", short: "o", value: "folder", help: "Where sheets and index.json go." },
    ...SPEC_OPTIONS,
    ...JOBS_OPTION,
  },
  async run(line) {
    const { output } = line.values;
    if (output === undefined) throw new UsageError("Expected --output with a folder.");
    const spec = specOf(line);
    const photos = await findPhotos(line.positionals);
    const thumbnails = new Map<Photo, RgbImage>();
    let single = 0;
    const failed = await makeThumbnails(
      photos,
      [{ ...spec, format: "npy", quality: undefined }, spec],
      jobsOf(line),
      (made) => {
        const [npy, file] = made.thumbnails;
        if (!npy || !file) return;
        thumbnails.set(made.photo, decodeNpy(npy.bytes));
        single += file.bytes.length;
      },
    );

    const { encode, extension } = encoders[spec.format];
    const columns = Math.floor(SHEET_SIDE / spec.size);
    const index: { photo: string; sheet: string; x: number; y: number }[] = [];
    const placed = photos.flatMap((photo) => {
      const image = thumbnails.get(photo);
      return image ? [{ photo, image }] : [];
    });
    let bytes = 0;
    await mkdir(output, { recursive: true });
    for (let start = 0; start < placed.length; start += columns ** 2) {
      const part = placed.slice(start, start + columns ** 2);
      const name = `sheet-${String(start / columns ** 2).padStart(3, "0")}.${extension}`;
      const image = tile(
        part.map(({ image: thumbnail }) => thumbnail),
        spec.size,
        columns,
      );
      const file = await encode(image, { quality: spec.quality ?? DEFAULT_QUALITY }, loadCodec);
      await writeFile(join(output, name), file);
      bytes += file.length;
      part.forEach(({ photo }, i) => {
        const x = (i % columns) * spec.size;
        index.push({ photo: photo.name, sheet: name, x, y: Math.floor(i / columns) * spec.size });
      });
    }
    await writeFile(join(output, "index.json"), `${JSON.stringify({ size: spec.size, thumbnails: index }, null, 1)}\n`);
    if (placed.length) {
      const each = (sum: number) => Math.round(sum / placed.length);
      console.log(
        `${placed.length} thumbnails in ${output}: ${each(bytes)} bytes each in sheets, ${each(single)} in files of their own.`,
      );
    }
    return failed ? 1 : 0;
  },
};

/** Row by row; the last row may end early and is black there. */
function tile(images: readonly RgbImage[], side: number, columns: number): RgbImage {
  const width = side * Math.min(columns, images.length);
  const height = side * Math.ceil(images.length / columns);
  const data = new Uint8Array(width * height * 3);
  images.forEach((image, i) => {
    const left = (i % columns) * side;
    const top = Math.floor(i / columns) * side;
    for (let y = 0; y < side; y++) {
      data.set(image.data.subarray(y * side * 3, (y + 1) * side * 3), ((top + y) * width + left) * 3);
    }
  });
  return { width, height, data };
}
