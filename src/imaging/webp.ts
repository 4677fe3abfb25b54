import webpDecoder from "@jsquash/webp/codec/dec/webp_dec.js";
import { Problem } from "../errors.ts";
import { EmscriptenCodec } from "./emscripten.ts";
import { exifOrientation } from "./exif.ts";
import type { OpenSource, Orientation, PixelTarget } from "./image.ts";
import { checkMemory } from "./limits.ts";
import { decoderMemory } from "./linear-memory.ts";

interface Decoder {
  /** RGBA, not premultiplied; null if the file is bad. */
  decode(file: Uint8Array): { width: number; height: number; data: Uint8ClampedArray<ArrayBuffer> } | null;
}

/** The picture inside the container: a bare VP8 or VP8L bitstream and its place on the canvas. */
interface Frame {
  readonly kind: "VP8 " | "VP8L";
  readonly bitstream: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

// Per pixel libwebp's RGBA (4 B) and the copy that its binding hands out (4 B); lossless also holds the ARGB it
// predicts from (4 B). Beside them some 8 MB of the 16 MB that the memory begins with cannot be used for them.
const FIXED_BYTES = 8.5e6;
const LOSSY_BYTES_PER_PIXEL = 8;
const LOSSLESS_BYTES_PER_PIXEL = 12;
const codec = new EmscriptenCodec<Decoder>("webp-decode", webpDecoder, decoderMemory);

/**
 * WebP (RFC 9649) by libwebp: lossy, lossless, with alpha; of an animation the first frame.
 *
 * Only the frame's colour bitstream goes to the decoder. Alpha is discarded, as by Pillow's `convert("RGB")`, and what
 * an animation's first frame leaves uncovered is black, as in libwebp's animation decoder.
 */
export const openWebp: OpenSource = (bytes) => {
  const { canvas, frame, orientation } = readContainer(bytes);
  const header = { ...(canvas ?? { width: frame.width, height: frame.height }), orientation };
  const lossless = frame.kind === "VP8L";
  // The file, the still file cut out of it and its copy in linear memory.
  const others = FIXED_BYTES + bytes.length + 2 * frame.bitstream.length;
  checkMemory("WebP", header, others, lossless ? LOSSLESS_BYTES_PER_PIXEL : LOSSY_BYTES_PER_PIXEL);
  if (frame.left + frame.width > header.width || frame.top + frame.height > header.height)
    damaged("its frame lies outside its canvas");
  return {
    header,
    async decode(target, loadCodec) {
      const picture = await codec.run(
        loadCodec,
        (decoder) => decoder.decode(stillFile(frame)) ?? damaged("libwebp cannot decode it"),
      );
      if (picture.width !== frame.width || picture.height !== frame.height)
        damaged("its size is not what its header says");
      pushOnCanvas(new Uint8Array(picture.data.buffer), frame, header, target);
      // Megabytes that would wait for the garbage collector.
      picture.data.buffer.transfer(0);
    },
  };
};

function pushOnCanvas(
  rgba: Uint8Array,
  frame: Frame,
  canvas: { width: number; height: number },
  target: PixelTarget,
): void {
  const sink = target.open(canvas.width, canvas.height, 4);
  const covered = frame.width === canvas.width;
  const row = new Uint8Array(canvas.width * 4);
  const blank = new Uint8Array(canvas.width * 4);
  for (let y = 0; y < canvas.height; y++) {
    const from = (y - frame.top) * frame.width * 4;
    if (y < frame.top || y >= frame.top + frame.height) sink.push(blank, 0);
    else if (covered) sink.push(rgba, from);
    else {
      row.set(rgba.subarray(from, from + frame.width * 4), frame.left * 4);
      sink.push(row, 0);
    }
  }
}

interface Container {
  readonly canvas: { width: number; height: number } | undefined;
  readonly frame: Frame;
  readonly orientation: Orientation;
}

function readContainer(bytes: Uint8Array): Container {
  let canvas: Container["canvas"];
  let frame: Frame | undefined;
  let orientation: Orientation = 1;
  for (const { type, body } of riffChunks(bytes, 12)) {
    if (type === "VP8X" && body.length >= 10) canvas = { width: 1 + uint24(body, 4), height: 1 + uint24(body, 7) };
    else if (type === "VP8 " || type === "VP8L") frame ??= readFrame(type, body, 0, 0);
    else if (type === "ANMF" && !frame) {
      for (const part of riffChunks(body, 16)) {
        if (part.type !== "VP8 " && part.type !== "VP8L") continue;
        frame = readFrame(part.type, part.body, 2 * uint24(body, 0), 2 * uint24(body, 3));
        break;
      }
      if (frame && (frame.width !== 1 + uint24(body, 6) || frame.height !== 1 + uint24(body, 9)))
        damaged("its first frame has two sizes");
    } else if (type === "EXIF") orientation = exifOrientation(withoutPrefix(body));
  }
  if (!frame) damaged("it has no complete frame");
  return { canvas, frame, orientation };
}

interface Chunk {
  readonly type: string;
  readonly body: Uint8Array;
}

// More than any real file has; an animation is a chunk a frame.
const MAX_CHUNKS = 20_000;

/** A RIFF file's chunks, as far as they are whole. */
export function* riffChunks(bytes: Uint8Array, start: number): Generator<Chunk> {
  let offset = start;
  for (let count = 0; offset + 8 <= bytes.length && count < MAX_CHUNKS; count++) {
    const type = String.fromCharCode(...bytes.subarray(offset, offset + 4));
    const length = uint24(bytes, offset + 4) + (bytes[offset + 7] ?? 0) * 2 ** 24;
    const body = bytes.subarray(offset + 8, offset + 8 + length);
    // Of a truncated file the last chunk is missing, not short.
    if (body.length < length) return;
    yield { type, body };
    offset += 8 + length + (length & 1);
  }
}

/** Sizes as the bitstreams give them: VP8 in RFC 6386, 9.1; VP8L in RFC 9649, 3.4. */
function readFrame(kind: Frame["kind"], bitstream: Uint8Array, left: number, top: number): Frame {
  const at = (i: number): number => bitstream[i] ?? 0;
  if (kind === "VP8 ") {
    if (at(3) !== 0x9d || at(4) !== 0x01 || at(5) !== 0x2a) damaged("its VP8 frame has no start code");
    const width = (at(6) | (at(7) << 8)) & 0x3fff;
    const height = (at(8) | (at(9) << 8)) & 0x3fff;
    return { kind, bitstream, width, height, left, top };
  }
  if (at(0) !== 0x2f) damaged("its VP8L frame has no signature");
  const width = 1 + ((at(1) | (at(2) << 8)) & 0x3fff);
  const height = 1 + (((at(2) >> 6) | (at(3) << 2) | (at(4) << 10)) & 0x3fff);
  return { kind, bitstream, width, height, left, top };
}

/** The smallest WebP file around a bitstream. */
function stillFile({ kind, bitstream }: Frame): Uint8Array {
  const padded = bitstream.length + (bitstream.length & 1);
  const file = new Uint8Array(20 + padded);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode("RIFF"), 0);
  view.setUint32(4, 12 + padded, true);
  file.set(new TextEncoder().encode(`WEBP${kind}`), 8);
  view.setUint32(16, bitstream.length, true);
  file.set(bitstream, 20);
  return file;
}

/** Some writers put JPEG's `Exif\0\0` in front. */
function withoutPrefix(exif: Uint8Array): Uint8Array {
  return exif[0] === 0x45 && exif[1] === 0x78 ? exif.subarray(6) : exif;
}

function uint24(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The WebP image is damaged: ${why}.`);
}
