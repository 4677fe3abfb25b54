import type { LoadCodec, RgbImage } from "./image.ts";
import { encodeNpy } from "./npy.ts";
import { encodePng } from "./png-encode.ts";

export interface EncodeOptions {
  /** 1 (smallest) to 100 (best), for the lossy formats; the others ignore it. */
  readonly quality: number;
}

export interface Encoder {
  readonly contentType: string;
  readonly extension: string;
  /** Does `quality` change what comes out. */
  readonly lossy: boolean;
  encode(image: RgbImage, options: EncodeOptions, loadCodec: LoadCodec): Promise<Uint8Array>;
}

/** Every format that thumbnails are written in. */
export const encoders = {
  png: { contentType: "image/png", extension: "png", lossy: false, encode: (image) => encodePng(image) },
  npy: { contentType: "application/x-npy", extension: "npy", lossy: false, encode: async (image) => encodeNpy(image) },
} satisfies Record<string, Encoder>;

export type OutputFormat = keyof typeof encoders;
