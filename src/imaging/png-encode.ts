import { crc32 } from "./crc32.ts";
import type { RgbImage } from "./image.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Encodes RGB as PNG: per row the filter with the smallest sum of absolute differences (ISO/IEC 15948, clause 12.8),
 * deflated by the platform. The pixels are exact; the bytes are the same for the same zlib.
 */
export async function encodePng(image: RgbImage): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = image;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2], 8);
  const data = await deflate(filterRows(image));
  const chunks = [chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", new Uint8Array())];
  const file = new Uint8Array(SIGNATURE.length + chunks.reduce((sum, { length }) => sum + length, 0));
  file.set(SIGNATURE);
  let offset = SIGNATURE.length;
  for (const part of chunks) {
    file.set(part, offset);
    offset += part.length;
  }
  return file;
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes, 4, 8 + body.length));
  return bytes;
}

async function deflate(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new CompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => writer.close());
  const [buffer] = await Promise.all([new Response(stream.readable).arrayBuffer(), written]);
  return new Uint8Array(buffer);
}

function filterRows({ width, height, data }: RgbImage): Uint8Array {
  const length = width * 3;
  const out = new Uint8Array(height * (length + 1));
  const candidates = [0, 1, 2, 3, 4].map(() => new Uint8Array(length));
  const empty = new Uint8Array(length);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * length, (y + 1) * length);
    const above = y === 0 ? empty : data.subarray((y - 1) * length, y * length);
    let best = 0;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const [filter, candidate] of candidates.entries()) {
      const cost = applyFilter(filter, row, above, candidate);
      if (cost >= bestCost) continue;
      best = filter;
      bestCost = cost;
    }
    out[y * (length + 1)] = best;
    out.set(candidates[best] ?? row, y * (length + 1) + 1);
  }
  return out;
}

/** Writes the filtered row to `out`; returns the sum of its bytes' magnitudes as signed numbers. */
function applyFilter(filter: number, row: Uint8Array, above: Uint8Array, out: Uint8Array): number {
  let cost = 0;
  for (let i = 0; i < row.length; i++) {
    const a = i < 3 ? 0 : (row[i - 3] as number);
    const b = above[i] as number;
    const c = i < 3 ? 0 : (above[i - 3] as number);
    const predicted =
      filter === 0 ? 0 : filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : paeth(a, b, c);
    const difference = ((row[i] as number) - predicted) & 255;
    out[i] = difference;
    cost += difference < 128 ? difference : 256 - difference;
  }
  return cost;
}

function paeth(a: number, b: number, c: number): number {
  const pa = Math.abs(b - c);
  const pb = Math.abs(a - c);
  const pc = Math.abs(a + b - 2 * c);
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}
