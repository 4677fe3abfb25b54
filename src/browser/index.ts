/**
 * `thumbnet-edge/browser`: the service's thumbnails, made in a web page or web worker before anything is uploaded.
 *
 * The imaging code, codecs and downscalers are the service's own, so a photo's thumbnail has the very bytes that the service
 * would make of it. Codecs and models are fetched when a photo first wants them, from beside this module.
 *
 * @module
 * @example
 * const thumbnet = createClient("https://thumbnails.example.com");
 * const { predictions } = await classify(input.files[0], thumbnet); // sends 7 KB, whatever the photo has
 */
import type { Call, ThumbnetClient } from "../client/client.ts";
import type { Classification, ClassifyOptions, Thumbnail, ThumbnailOptions, Upload } from "../client/types.ts";
import { makeThumbnail } from "../pipeline.ts";
import { asProblemError } from "./problem.ts";
import { runtimeOf } from "./runtime.ts";
import { specOf } from "./spec.ts";

export { type Call, type ClientOptions, createClient, type ThumbnetClient } from "../client/client.ts";
export { type ProblemCode, ProblemError } from "../client/problem-error.ts";
export type { SigningKey } from "../client/sign.ts";
export type { Classification, Prediction, Thumbnail, Upload } from "../client/types.ts";

export interface LocalThumbnailOptions extends Omit<ThumbnailOptions, "format" | "preset"> {
  /** `png` and `npy` are lossless. `png` if absent. */
  readonly format?: Exclude<ThumbnailOptions["format"], "auto" | undefined>;
}

/** Nothing that needs the photo at the service: it sees one thumbnail of one size. */
export interface LocalClassifyOptions extends Omit<ClassifyOptions, "adaptive" | "teacher" | "preset"> {
  /**
   * What is sent. `png` (about 7 KB at 56 pixels) if absent: with it or `npy` the answer is the very one that the service gives for
   * the photo. `avif` and `webp` are lossy and take 1 to 3 KB; what that costs in accuracy: docs/results.md.
   */
  readonly format?: "png" | "webp" | "avif" | "npy";
  /** 1 to 100, of the lossy formats. */
  readonly quality?: number;
}

/**
 * Makes a photo's thumbnail here; nothing leaves the device.
 *
 * @param photo a JPEG, PNG, WebP, GIF or AVIF file.
 * @throws ProblemError `unsupported-format`, `image-too-large`, `undecodable-image`, `invalid-options`, as the service would
 *   say; Error if a codec or model cannot be fetched.
 */
export async function thumbnail(
  photo: Upload,
  options: LocalThumbnailOptions = {},
): Promise<Pick<Thumbnail, "bytes" | "contentType">> {
  try {
    const spec = specOf(options);
    return await makeThumbnail(await bytesOf(photo), spec, await runtimeOf(spec.size));
  } catch (error) {
    throw asProblemError(error);
  }
}

/**
 * Makes a photo's thumbnail here and lets the service classify that: the photo itself is not sent.
 *
 * @throws what `thumbnail` and the client's `classify` throw.
 */
export async function classify(
  photo: Upload,
  service: ThumbnetClient,
  options: LocalClassifyOptions = {},
  call?: Call,
): Promise<Classification> {
  const { format = "png", quality, fit, ...asked } = options;
  const { size } = asked;
  const made = await thumbnail(photo, {
    format,
    ...(size !== undefined && { size }),
    ...(quality !== undefined && { quality }),
    ...(fit !== undefined && { fit }),
  });
  return service.classify(made.bytes, asked, call);
}

/** Fetches what every photo of this size needs, so that the first one need not wait for it. */
export async function preload(size: LocalThumbnailOptions["size"] = 56): Promise<void> {
  const { downscalers, loadCodec } = await runtimeOf(size);
  await Promise.all([
    loadCodec("resample"),
    ...downscalers.map(({ downscale, preprocessing: { size: side } }) =>
      downscale({ width: side, height: side, data: new Uint8Array(side * side * 3) }),
    ),
  ]);
}

async function bytesOf(photo: Upload): Promise<Uint8Array> {
  if (photo instanceof Uint8Array) return photo;
  return new Uint8Array(photo instanceof ArrayBuffer ? photo : await photo.arrayBuffer());
}
