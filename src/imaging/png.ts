import { Problem } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { exifOrientation } from "./exif.ts";
import type { Header, OpenSource, Orientation, PixelTarget } from "./image.ts";
import { checkPixels } from "./limits.ts";
import { ADAM7_PASSES, type PixelLayout, rowUnpacker, unfilter } from "./png-rows.ts";

interface PngHeader extends Header, PixelLayout {
  readonly interlaced: boolean;
  /** The parts of the zlib stream, views into the file. */
  readonly data: readonly Uint8Array[];
}

// Rows stream, so memory does not grow with the height: per row the filtered bytes, two lines of at most 8 bytes a pixel
// and the unpacked line of 3. The widest accepted picture (40 M x 1) would take 3 x 8 x 40 MB: MAX_WIDTH keeps it at 1.8 MB.
// The pixel limit bounds the time: a zlib bomb of 20 MB would unpack to 20 GB, this stops it at 40 M x 8 bytes.
const MAX_PIXELS = 40e6;
const MAX_WIDTH = 65_535;
// Adam7 completes its rows last, so the whole picture is kept, in at most 4 bytes a pixel: 40 MB.
const MAX_INTERLACED_PIXELS = 10e6;
// Encoders write chunks of 8 KB and more; a file of empty ones would cost a view (some 100 bytes) for every 12 bytes.
const MAX_CHUNKS = 50_000;

const BIT_DEPTHS: Record<number, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/**
 * PNG (ISO/IEC 15948) without libpng: the inflater is the platform's, rows go straight on.
 *
 * Parity with `PIL.Image.open(...).convert("RGB")`, which the training data went through: alpha and tRNS are discarded (not
 * blended), 16-bit samples keep their high byte, gamma and colour profiles are not applied. As in libpng a wrong CRC in a critical
 * chunk is an error and one in an ancillary chunk is not.
 */
export const openPng: OpenSource = (bytes) => {
  const header = readHeader(bytes);
  if (header.interlaced) checkPixels("interlaced PNG", header, MAX_INTERLACED_PIXELS);
  else checkPixels("PNG", header, MAX_PIXELS);
  if (header.width > MAX_WIDTH) {
    throw new Problem("image-too-large", `Expected a width of at most ${MAX_WIDTH} pixels; ${header.width} came.`);
  }
  return {
    header,
    async decode(target) {
      const inflated = new InflatedBytes(header.data);
      try {
        await (header.interlaced ? decodeInterlaced(inflated, header, target) : decodeRows(inflated, header, target));
        await inflated.expectEnd();
      } finally {
        await inflated.close();
      }
    },
  };
};

function readHeader(bytes: Uint8Array): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Uint8Array[] = [];
  let ihdr: Uint8Array | undefined;
  let palette: Uint8Array | undefined;
  let orientation: Orientation = 1;
  let offset = 8;
  for (let chunks = 0; offset + 12 <= bytes.length; chunks++) {
    if (chunks === MAX_CHUNKS) damaged(`it has more than ${MAX_CHUNKS} chunks`);
    const length = view.getUint32(offset);
    const end = offset + 8 + length;
    if (end + 4 > bytes.length) break;
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    const body = bytes.subarray(offset + 8, end);
    const critical = type.charCodeAt(0) < 97;
    if (critical && crc32(bytes, offset + 4, end) !== view.getUint32(end))
      damaged(`the CRC of its ${type} chunk is wrong`);
    if (ihdr === undefined && type !== "IHDR") damaged("it does not begin with an IHDR chunk");
    if (type === "IHDR") ihdr ??= body;
    else if (type === "PLTE") palette ??= body;
    else if (type === "IDAT") data.push(body);
    else if (type === "eXIf") orientation = exifOrientation(body);
    else if (type === "IEND") break;
    else if (critical) damaged("it has a critical chunk of an unknown type");
    offset = end + 4;
  }
  if (ihdr === undefined || ihdr.length !== 13)
    throw new Problem("undecodable-image", "The PNG image has no valid IHDR chunk.");
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const [bitDepth = 0, colorType = 0, compression, filter, interlace = 0] = ihdr.subarray(8);
  if (!BIT_DEPTHS[colorType]?.includes(bitDepth))
    damaged(`colour type ${colorType} with ${bitDepth} bits does not exist`);
  if (compression !== 0 || filter !== 0 || interlace > 1) damaged("its IHDR chunk asks for unknown methods");
  if (data.length === 0) damaged("it has no IDAT chunk");
  if (colorType === 3 && !palette) damaged("its palette is missing");
  return {
    width,
    height,
    orientation,
    bitDepth,
    colorType,
    palette: palette ?? new Uint8Array(),
    interlaced: interlace === 1,
    data,
  };
}

async function decodeRows(inflated: InflatedBytes, header: PngHeader, target: PixelTarget): Promise<void> {
  const unpack = rowUnpacker(header, header.width);
  const sink = target.open(header.width, header.height, unpack.stride);
  for await (const row of filteredRows(inflated, header, header.width, header.height)) sink.push(unpack.row(row), 0);
}

async function decodeInterlaced(inflated: InflatedBytes, header: PngHeader, target: PixelTarget): Promise<void> {
  const { width, height } = header;
  const { stride } = rowUnpacker(header, 1);
  const pixels = new Uint8Array(width * height * stride);
  for (const [x0, y0, dx, dy] of ADAM7_PASSES) {
    const columns = Math.ceil((width - x0) / dx);
    const lines = Math.ceil((height - y0) / dy);
    if (columns <= 0 || lines <= 0) continue;
    const unpack = rowUnpacker(header, columns);
    let y = y0;
    for await (const filtered of filteredRows(inflated, header, columns, lines)) {
      const row = unpack.row(filtered);
      for (let x = 0; x < columns; x++) {
        const to = (y * width + x0 + x * dx) * stride;
        for (let channel = 0; channel < stride; channel++) pixels[to + channel] = row[x * stride + channel] ?? 0;
      }
      y += dy;
    }
  }
  const sink = target.open(width, height, stride);
  for (let y = 0; y < height; y++) sink.push(pixels, y * width * stride);
}

/** The rows of one picture or pass with their filters undone; each is valid until the next is asked for. */
async function* filteredRows(
  inflated: InflatedBytes,
  layout: PixelLayout,
  width: number,
  height: number,
): AsyncGenerator<Uint8Array> {
  const bits = layout.bitDepth * ([1, 0, 3, 1, 2, 0, 4][layout.colorType] ?? 1);
  const pixelBytes = Math.max(1, bits >> 3);
  let line = new Uint8Array(Math.ceil((width * bits) / 8) + 1);
  let above = new Uint8Array(line.length);
  for (let y = 0; y < height; y++) {
    if (!inflated.tryRead(line)) await inflated.read(line);
    if (!unfilter(line, above, pixelBytes)) damaged("a row has an unknown filter");
    yield line;
    [line, above] = [above, line];
  }
}

/** The inflated bytes of the IDAT chunks, taken as they come. */
class InflatedBytes {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #used = 0;

  constructor(parts: readonly Uint8Array[]) {
    const stream = new DecompressionStream("deflate");
    const writer = stream.writable.getWriter();
    const feed = async () => {
      for (const part of parts) if (part.length > 0) await writer.write(part as Uint8Array<ArrayBuffer>);
      await writer.close();
    };
    // The reader learns of every failure; nobody waits for the writer.
    feed().catch(() => {});
    this.#reader = stream.readable.getReader();
  }

  /** Fills `line` from what has been inflated already, or says that more is needed. */
  tryRead(line: Uint8Array): boolean {
    if (this.#chunk.length - this.#used < line.length) return false;
    line.set(this.#chunk.subarray(this.#used, this.#used + line.length));
    this.#used += line.length;
    return true;
  }

  async read(line: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < line.length) {
      if (this.#used === this.#chunk.length && !(await this.#next())) damaged("its pixel data ends too early");
      const part = this.#chunk.subarray(this.#used, this.#used + line.length - filled);
      line.set(part, filled);
      filled += part.length;
      this.#used += part.length;
    }
  }

  /** Throws if there is more data than pixels. What is wrong after the last pixel otherwise (a checksum) has harmed none. */
  async expectEnd(): Promise<void> {
    const more = this.#used < this.#chunk.length || (await this.#next().catch(() => false));
    if (more) damaged("it has more pixel data than pixels");
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #next(): Promise<boolean> {
    do {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#chunk = value;
      this.#used = 0;
    } while (this.#chunk.length === 0);
    return true;
  }
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The PNG image is damaged: ${why}.`);
}
