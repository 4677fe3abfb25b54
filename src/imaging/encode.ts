import avifEncoder from "@jsquash/avif/codec/enc/avif_enc.js";
import { defaultOptions as AVIF_DEFAULTS } from "@jsquash/avif/meta.js";
import jpegEncoder from "@jsquash/jpeg/codec/enc/mozjpeg_enc.js";
import { defaultOptions as JPEG_DEFAULTS } from "@jsquash/jpeg/meta.js";
import webpEncoder from "@jsquash/webp/codec/enc/webp_enc_simd.js";
import { defaultOptions as WEBP_DEFAULTS } from "@jsquash/webp/meta.js";
import { EmscriptenCodec } from "./emscripten.ts";
import type { LoadCodec, RgbImage } from "./image.ts";
import { decoderMemory, encoderMemory } from "./linear-memory.ts";
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
  encode(image: RgbImage, options: EncodeOptions, loadCodec: LoadCodec): Promise<Uint8Array<ArrayBuffer>>;
}

/** What jSquash's encoders export: RGBA in, a view into linear memory out. */
interface WasmEncoder {
  encode(rgba: Uint8Array, width: number, height: number, options: object): Uint8Array | null;
}

// Measured on 60 photos at 56 and 112 pixels: for the same bytes as 4:2:0 as close to the picture below quality 75, up
// to 1 dB closer above.
const FULL_CHROMA = { auto_subsample: false, chroma_subsample: 1 };
// 4:4:4, for E writes into the colours, too. Speed 8 takes two thirds of the default's time and is 0.5 dB further away.
const AVIF_OPTIONS = { ...AVIF_DEFAULTS, subsample: 3, speed: 6 };
const mozjpeg = new EmscriptenCodec<WasmEncoder>("jpeg-encode", jpegEncoder, encoderMemory);
const libwebp = new EmscriptenCodec<WasmEncoder>("webp-encode", webpEncoder, encoderMemory);
// Where photos are decoded: it is as large as a decoder, and the photo is done with by now.
const libaom = new EmscriptenCodec<WasmEncoder>("avif-encode", avifEncoder, decoderMemory);

const TABLE = {
  png: { contentType: "image/png", extension: "png", lossy: false, encode: (image) => encodePng(image) },
  webp: {
    contentType: "image/webp",
    extension: "webp",
    lossy: true,
    encode: (image, { quality }, loadCodec) => encodeWith(libwebp, image, { ...WEBP_DEFAULTS, quality }, loadCodec),
  },
  jpeg: {
    contentType: "image/jpeg",
    extension: "jpg",
    lossy: true,
    encode: (image, { quality }, loadCodec) =>
      encodeWith(mozjpeg, image, { ...JPEG_DEFAULTS, ...FULL_CHROMA, quality }, loadCodec),
  },
  avif: {
    contentType: "image/avif",
    extension: "avif",
    lossy: true,
    encode: (image, { quality }, loadCodec) => encodeWith(libaom, image, { ...AVIF_OPTIONS, quality }, loadCodec),
  },
  npy: { contentType: "application/x-npy", extension: "npy", lossy: false, encode: async (image) => encodeNpy(image) },
} satisfies Record<string, Encoder>;

export type OutputFormat = keyof typeof TABLE;

/** Every format that thumbnails are written in. */
export const encoders: Readonly<Record<OutputFormat, Encoder>> = TABLE;

/** Their names. */
export const FORMATS = Object.keys(TABLE) as OutputFormat[];

function encodeWith(
  codec: EmscriptenCodec<WasmEncoder>,
  image: RgbImage,
  options: object,
  loadCodec: LoadCodec,
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, data } = image;
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) rgba.set(data.subarray(from, from + 3), to);
  return codec.run(loadCodec, (encoder) => {
    const view = encoder.encode(rgba, width, height, options);
    if (!view) throw new Error("the encoder gave nothing");
    return view.slice();
  });
}
