/**
 * Bytes from the edge to the origin for one image, whole HTTP requests as they are sent: thumbnails and full photos as raw
 * tensors, JSON, npy, PNG and WebP, some of them compressed.
 *
 *     npm run bench -- wire
 *
 * Bodies are those of the pictures in `test/fixtures/photos`; means over them.
 */
import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { decode } from "../src/imaging/decode.ts";
import { encoders } from "../src/imaging/encode.ts";
import type { RgbImage } from "../src/imaging/image.ts";
import { encodeInferRequest } from "../src/oip/infer.ts";
import { downscalePhoto } from "../src/pipeline.ts";
import { loadCodec, nodeRuntime } from "../src/runtime/node.ts";
import { table, writeResults } from "./report.ts";

const PHOTOS = "test/fixtures/photos";
const runtime = await nodeRuntime();
const names = (await readdir(PHOTOS)).filter((name) => name.endsWith(".jpg"));
const photos = await Promise.all(names.map((name) => readFile(`${PHOTOS}/${name}`)));

type Encode = (image: RgbImage) => Promise<Uint8Array>;
const request = (image: RgbImage, binary: boolean) => {
  const tensor = {
    name: "thumbnail",
    datatype: "UINT8" as const,
    shape: [1, image.height, image.width, 3],
    bytes: image.data,
  };
  return encodeInferRequest([tensor], binary).body;
};
const FORMS: Record<string, Encode> = {
  "Open Inference Protocol, binary (sent)": async (image) => request(image, true),
  "the same, gzip": async (image) => gzipSync(request(image, true)),
  "Open Inference Protocol, JSON (MLServer)": async (image) => request(image, false),
  "the same JSON, gzip": async (image) => gzipSync(request(image, false)),
  npy: (image) => encoders.npy.encode(image, { quality: 0 }, loadCodec),
  "PNG (lossless)": (image) => encoders.png.encode(image, { quality: 0 }, loadCodec),
  "WebP q75 (lossy: other logits)": (image) => encoders.webp.encode(image, { quality: 75 }, loadCodec),
};

const rows: { form: string; pixels: number; bytes: number }[] = [];
for (const side of [56, 112, 224]) {
  const images = await Promise.all(
    photos.map((photo) =>
      side === 224
        ? decode(photo, { size: side, filter: "bicubic", fit: "fill" }, loadCodec)
        : downscalePhoto(photo, { size: side, format: "npy" }, runtime),
    ),
  );
  for (const [form, encode] of Object.entries(FORMS)) {
    const sizes = await Promise.all(images.map(async (image) => (await encode(image)).length));
    rows.push({ form, pixels: side, bytes: Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length) });
  }
}
const mean = photos.reduce((sum, photo) => sum + photo.length, 0) / photos.length;
rows.push({ form: "the JPEG photo itself", pixels: 224, bytes: Math.round(mean) });

console.log(
  table(
    ["form", "pixels a side", "bytes"],
    rows.map(({ form, pixels, bytes }) => [form, String(pixels), String(bytes)]),
  ),
);
await writeResults("wire", "", { photos: names, rows });
