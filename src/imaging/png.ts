import { Problem } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { exifOrientation } from "./exif.ts";
import type { Header, OpenSource, Orientation, PixelTarget } from "./image.ts";
import { checkMemory, checkPixels, HEAP_BUDGET } from "./limits.ts";
import { readRows } from "./png-inflate.ts";
import { ADAM7_PASSES, type PixelLayout, rowUnpacker } from "./png-rows.ts";

interface PngHeader extends Header, PixelLayout {
  readonly interlaced: boolean;
  /** The parts of the zlib stream, views into the file. */
  readonly data: readonly Uint8Array[];
}

// Rows stream, so no buffer grows with the height: per row the filtered bytes, two lines of at most 8 bytes a pixel and the
// unpacked line of 3, 1.8 MB for the longest side that is accepted (limits.ts). The pixel limit bounds the time: a zlib
// bomb of 20 MB would unpack to 20 GB, this stops it at 40 M x 8 bytes.
const MAX_PIXELS = 40e6;
// Adam7 completes its rows last, so the whole picture is kept.
const BYTES_PER_INTERLACED_PIXEL = 4;
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
 * Parity with `PIL.Image.open(...).convert("RGB")`, which the training data went through: alpha and tRNS are discarded
 * (not blended), gamma and colour profiles are not applied, and 16-bit samples keep their high byte. (Grey ones, too, as in
 * training; Pillow's own conversion of those makes all but the darkest white.) As in libpng a wrong CRC in a critical chunk is an
 * error and one in an ancillary chunk is not.
 */
export const openPng: OpenSource = (bytes) => {
  const header = readHeader(bytes);
  if (header.interlaced) checkMemory("interlaced PNG", header, bytes.length, BYTES_PER_INTERLACED_PIXEL, HEAP_BUDGET);
  else checkPixels("PNG", header, MAX_PIXELS);
  return {
    header,
    decode: (target) => (header.interlaced ? decodeInterlaced(header, target) : decodeRows(header, target)),
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

async function decodeRows(header: PngHeader, target: PixelTarget): Promise<void> {
  const unpack = rowUnpacker(header, header.width);
  const sink = target.open(header.width, header.height, unpack.stride);
  await readRows(header.data, header, [header], (line) => sink.push(unpack.row(line), 0));
}

async function decodeInterlaced(header: PngHeader, target: PixelTarget): Promise<void> {
  const { width, height } = header;
  const passes = ADAM7_PASSES.map(([left, top, across, down]) => ({
    left,
    top,
    across,
    down,
    width: Math.ceil((width - left) / across),
    height: Math.ceil((height - top) / down),
  })).filter((pass) => pass.width > 0 && pass.height > 0);
  const { stride } = rowUnpacker(header, 1);
  const unpackers = passes.map((pass) => rowUnpacker(header, pass.width));
  const pixels = new Uint8Array(width * height * stride);
  await readRows(header.data, header, passes, (line, index, y) => {
    const pass = passes[index];
    const row = unpackers[index]?.row(line);
    if (!pass || !row) return;
    let to = ((pass.top + y * pass.down) * width + pass.left) * stride;
    for (let from = 0; from < pass.width * stride; to += pass.across * stride) {
      for (let channel = 0; channel < stride; channel++) pixels[to + channel] = row[from++] as number;
    }
  });
  const sink = target.open(width, height, stride);
  for (let y = 0; y < height; y++) sink.push(pixels, y * width * stride);
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The PNG image is damaged: ${why}.`);
}
