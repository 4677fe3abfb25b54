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
  /**
   * `fill` squashes the whole photo into the square; `cover` crops it to a centred square first (Pillow's
   * `ImageOps.fit`).
   */
  readonly fit: "fill" | "cover";
}

/**
 * The WebAssembly modules: the resampler's loops (`resample.wasm` beside this file) and the codecs. Each runtime
 * (workerd, Node, a browser) hands them over compiled, in its own way.
 */
export type CodecName =
  | "resample"
  | "jpeg-turbo"
  | "jpeg-encode"
  | "webp-decode"
  | "webp-encode"
  | "avif-decode"
  | "avif-encode";

/** Gives the compiled module of a codec. Called at the first use of a format, never before. */
export type LoadCodec = (name: CodecName) => Promise<WebAssembly.Module>;

/** Turn of the stored picture that makes it upright, as EXIF tag 274 numbers them. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The formats that are read. */
export type SourceFormat = "jpeg" | "png" | "webp" | "gif" | "avif";

/** What a file's header promises, read without decoding a pixel. */
export interface Header {
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}

/** Bytes from one pixel to the next in a row: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha. Alpha is skipped. */
export type PixelStride = 1 | 2 | 3 | 4;

/** Takes the rows of one picture, top to bottom. */
export interface RowSink {
  /** `row[offset .. offset + width * stride]` is the next row; it is read before `push` returns and may be reused. */
  push(row: Uint8Array, offset: number): void;
}

/** Where a codec's pixels go. */
export interface PixelTarget {
  /** A codec that can decode at a reduced scale need keep no more than this many pixels on the shorter side. */
  readonly enough: number;
  /**
   * Called once, when the codec knows what it will deliver: `height` rows of `width` pixels. `extent` is the part that
   * the picture covers when a reduced scale rounded the size up (fractional pixels from the top left corner).
   */
  open(width: number, height: number, stride: PixelStride, extent?: { width: number; height: number }): RowSink;
}

/** A file whose header has been read and found acceptable. */
export interface Source {
  readonly header: Header;
  /** Throws `undecodable-image` (or whatever the codec throws) if the file is at fault. */
  decode(target: PixelTarget, loadCodec: LoadCodec): Promise<void>;
}

/**
 * One source format. Reads the header and refuses, before anything is decoded, what would not fit into the isolate's
 * memory (`image-too-large`) or cannot be a picture (`undecodable-image`).
 */
export type OpenSource = (bytes: Uint8Array) => Source;
