/** Plain pixel containers that every step of the imaging pipeline exchanges. No runtime API, no I/O. */

/** 8-bit RGB, rows top to bottom, `data.length === width * height * 3` (HWC, the layout of the models' tensors). */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** How a photo becomes the square that a downscaler reads; the values come from the model's card. */
export interface Geometry {
  /** Side of the square in pixels. */
  readonly size: number;
  /** Pillow's antialiased filter of that name, on 8-bit channels. */
  readonly filter: "bilinear" | "bicubic";
  /** `fill` squashes the whole photo into the square; `cover` crops it to a centred square first (Pillow's `ImageOps.fit`). */
  readonly fit: "fill" | "cover";
}

/** The WebAssembly codecs. Each runtime (workerd, Node, a browser) hands them over compiled, in its own way. */
export type CodecName = "jpeg-turbo" | "jpeg-encode" | "webp-decode" | "webp-encode" | "avif-decode";

/** Gives the compiled module of a codec. Called at the first use of a format, never before. */
export type LoadCodec = (name: CodecName) => Promise<WebAssembly.Module>;
