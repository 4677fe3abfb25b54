/** The product in one function: photo bytes in, classification thumbnail out. The Worker, Node and the browser share it. */
import type { Downscaler } from "./downscaler/downscaler.ts";
import { decode } from "./imaging/decode.ts";
import { encoders, type OutputFormat } from "./imaging/encode.ts";
import type { Geometry, LoadCodec, RgbImage } from "./imaging/image.ts";
import { type Step, unobserved } from "./observation.ts";

/** Of webp and jpeg. At these sizes it is about a tenth of the lossless bytes. */
export const DEFAULT_QUALITY = 75;

/** What a runtime (workerd, Node, a browser) supplies: its compiled codecs and its downscalers. */
export interface Runtime {
  readonly downscalers: readonly Downscaler[];
  readonly loadCodec: LoadCodec;
}

/** Options with nothing left open: `auto` and presets are resolved. */
export interface ThumbnailSpec {
  readonly size: number;
  readonly format: OutputFormat;
  readonly quality?: number | undefined;
  readonly fit?: Geometry["fit"] | undefined;
}

export interface EncodedThumbnail {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

/** The downscaler whose thumbnails have `size` pixels a side. @throws Error if the runtime has none. */
export function downscalerFor(size: number, runtime: Runtime): Downscaler {
  const found = runtime.downscalers.find((downscaler) => downscaler.size === size);
  if (!found) throw new Error(`No downscaler makes thumbnails of ${size} pixels.`);
  return found;
}

/**
 * Decodes a photo, prescales it to the downscaler's input and runs the downscaler.
 *
 * @throws Problem `unsupported-format`, `image-too-large`, `undecodable-image`.
 */
export async function downscalePhoto(
  photo: Uint8Array,
  spec: ThumbnailSpec,
  runtime: Runtime,
  step: Step = unobserved,
): Promise<RgbImage> {
  const downscaler = downscalerFor(spec.size, runtime);
  const { size, filter, fit } = downscaler.preprocessing;
  const geometry = { size, filter, fit: spec.fit ?? fit };
  const square = await step("decode", () => decode(photo, geometry, runtime.loadCodec));
  return step("downscale", () => downscaler.downscale(square));
}

/** `downscalePhoto`, then the encoding that was asked for. */
export async function makeThumbnail(
  photo: Uint8Array,
  spec: ThumbnailSpec,
  runtime: Runtime,
  step: Step = unobserved,
): Promise<EncodedThumbnail> {
  const thumbnail = await downscalePhoto(photo, spec, runtime, step);
  const { contentType, encode } = encoders[spec.format];
  const quality = spec.quality ?? DEFAULT_QUALITY;
  return { bytes: await step("encode", () => encode(thumbnail, { quality }, runtime.loadCodec)), contentType };
}
