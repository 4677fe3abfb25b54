import { Problem } from "../errors.ts";
import type { OpenSource, PixelTarget } from "./image.ts";
import { checkMemory, checkPixels, HEAP_BUDGET } from "./limits.ts";
import { LzwReader } from "./lzw.ts";

interface GifFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly interlaced: boolean;
  /** RGB triples. */
  readonly palette: Uint8Array;
  /** The palette index of what the frame leaves uncovered. */
  readonly background: number;
  /** Where its LZW data begin. */
  readonly data: number;
}

// Rows stream; an interlaced frame is kept as one index a pixel. The pixel limit bounds the time: LZW expands up to 1 :
// 2700.
const MAX_PIXELS = 40e6;
const BYTES_PER_INTERLACED_PIXEL = 1;

const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

/**
 * The first frame of a GIF (87a, 89a) on its canvas.
 *
 * As Pillow's `convert("RGB")` of it: transparency is discarded, and what the frame leaves uncovered has the colour of
 * the transparent index (or of index 0), not of the background index that no viewer honours.
 */
export const openGif: OpenSource = (bytes) => {
  const frame = readFirstFrame(bytes);
  // A frame that does not fit its canvas widens it, as in Pillow and the browsers.
  const canvas = {
    width: Math.max(uint16(bytes, 6), frame.left + frame.width),
    height: Math.max(uint16(bytes, 8), frame.top + frame.height),
  };
  checkPixels("GIF", canvas, MAX_PIXELS);
  if (frame.width < 1 || frame.height < 1) damaged("its first frame is empty");
  if (frame.interlaced) checkMemory("interlaced GIF", frame, bytes.length, BYTES_PER_INTERLACED_PIXEL, HEAP_BUDGET);
  return { header: { ...canvas, orientation: 1 }, decode: async (target) => pushCanvas(bytes, frame, canvas, target) };
};

function pushCanvas(
  bytes: Uint8Array,
  frame: GifFrame,
  canvas: { width: number; height: number },
  target: PixelTarget,
): void {
  const colors = new Uint8Array(256 * 3);
  colors.set(frame.palette);
  const sink = target.open(canvas.width, canvas.height, 3);
  const rgb = new Uint8Array(canvas.width * 3);
  const indices = new Uint8Array(canvas.width).fill(frame.background);
  const nextLine = frame.interlaced ? interlacedLines(bytes, frame) : streamedLines(bytes, frame);
  for (let y = 0; y < canvas.height; y++) {
    if (y === frame.top + frame.height) indices.fill(frame.background);
    if (y >= frame.top && y < frame.top + frame.height) indices.set(nextLine(), frame.left);
    for (let x = 0, to = 0; x < canvas.width; x++, to += 3) {
      const color = (indices[x] as number) * 3;
      rgb[to] = colors[color] as number;
      rgb[to + 1] = colors[color + 1] as number;
      rgb[to + 2] = colors[color + 2] as number;
    }
    sink.push(rgb, 0);
  }
}

function streamedLines(bytes: Uint8Array, frame: GifFrame): () => Uint8Array {
  const lzw = new LzwReader(bytes, frame.data);
  const line = new Uint8Array(frame.width);
  return () => {
    if (!lzw.read(line)) damaged("its pixel data end too early or make no sense");
    return line;
  };
}

function interlacedLines(bytes: Uint8Array, frame: GifFrame): () => Uint8Array {
  const { width, height } = frame;
  const read = streamedLines(bytes, frame);
  const all = new Uint8Array(width * height);
  for (const [start, step] of PASSES) for (let y = start; y < height; y += step) all.set(read(), y * width);
  let y = 0;
  return () => all.subarray(y * width, ++y * width);
}

function readFirstFrame(bytes: Uint8Array): GifFrame {
  let offset = 13;
  let palette = new Uint8Array();
  let background = 0;
  const readPalette = (flags: number): Uint8Array<ArrayBuffer> => {
    const length = 3 * 2 ** ((flags & 7) + 1);
    offset += length;
    return bytes.slice(offset - length, offset);
  };
  const flags = bytes[10] ?? 0;
  if (flags & 0x80) palette = readPalette(flags);
  while (offset < bytes.length) {
    const block = bytes[offset++];
    if (block === 0x2c) {
      const local = bytes[offset + 8] ?? 0;
      const [left, top, width, height] = [0, 2, 4, 6].map((at) => uint16(bytes, offset + at)) as [
        number,
        number,
        number,
        number,
      ];
      offset += 9;
      if (local & 0x80) palette = readPalette(local);
      if (palette.length === 0) damaged("it has no palette");
      return { left, top, width, height, interlaced: (local & 0x40) !== 0, palette, background, data: offset };
    }
    if (block !== 0x21) break;
    const isControl = bytes[offset] === 0xf9 && bytes[offset + 1] === 4;
    if (isControl && ((bytes[offset + 2] ?? 0) & 1) === 1) background = bytes[offset + 5] ?? 0;
    offset = skipSubBlocks(bytes, offset + 1);
  }
  damaged("it has no frame");
}

function skipSubBlocks(bytes: Uint8Array, start: number): number {
  let offset = start;
  while (offset < bytes.length) {
    const length = bytes[offset++] ?? 0;
    if (length === 0) break;
    offset += length;
  }
  return offset;
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The GIF image is damaged: ${why}.`);
}
