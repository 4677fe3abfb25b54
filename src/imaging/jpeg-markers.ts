import { Problem } from "../errors.ts";
import { exifOrientation } from "./exif.ts";
import type { Header, Orientation } from "./image.ts";

export interface JpegComponent {
  readonly id: number;
  /** Sampling factors, 1 to 4. */
  readonly h: number;
  readonly v: number;
  /** Number of its quantisation table. */
  readonly table: number;
}

/** One marker segment: its body is `start` to `end`, its entropy-coded data (of a scan) are `end` to `dataEnd`. */
export interface Segment {
  readonly kind: "tables" | "huffman" | "restart" | "scan";
  readonly start: number;
  readonly end: number;
  dataEnd: number;
}

export interface JpegHeader extends Header {
  readonly progressive: boolean;
  readonly components: readonly JpegComponent[];
  /** The largest sampling factors. */
  readonly hMax: number;
  readonly vMax: number;
  /** Tables, restart intervals and scan headers in the file's order. */
  readonly segments: readonly Segment[];
  readonly scans: number;
  /** Must a decoder hold the coefficients of the whole picture, as the scans bring them piece by piece. */
  readonly buffered: boolean;
  /** `transform` of an Adobe segment: 0 RGB or CMYK, 1 YCbCr, 2 YCCK. */
  readonly adobeTransform: number | undefined;
  /** Is there a JFIF segment. */
  readonly jfif: boolean;
  /** Where the picture ends: behind its EOI marker, or at the end of a file that has none. */
  readonly end: number;
  readonly complete: boolean;
}

type Frame = Pick<JpegHeader, "width" | "height" | "progressive" | "components" | "hMax" | "vMax">;

const RST0 = 0xd0;
const RST7 = 0xd7;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DNL = 0xdc;
const KINDS: Record<number, Segment["kind"]> = { 219: "tables", 196: "huffman", 221: "restart", [SOS]: "scan" };
const MAX_SEGMENTS = 1000;
const SOF_NAMES: Record<number, string> = {
  195: "lossless",
  197: "hierarchical",
  198: "hierarchical",
  199: "hierarchical",
  201: "arithmetic-coded",
  202: "arithmetic-coded",
  203: "lossless arithmetic-coded",
  205: "hierarchical arithmetic-coded",
  206: "hierarchical arithmetic-coded",
  207: "hierarchical arithmetic-coded",
};

/** Walks a JPEG file's segments (ITU-T T.81, annex B) from SOI to EOI without decoding any scan. */
export function readJpegMarkers(bytes: Uint8Array): JpegHeader {
  let frame: Frame | undefined;
  let orientation: Orientation | undefined;
  let adobeTransform: number | undefined;
  let jfif = false;
  let scans = 0;
  let buffered = false;
  const segments: Segment[] = [];
  let complete = false;
  let offset = 2;
  while (offset < bytes.length) {
    const marker = nextMarker(bytes, offset);
    if (marker === undefined) break;
    offset = marker.end;
    const { code } = marker;
    const scan = segments.at(-1);
    if (scan?.kind === "scan" && scan.dataEnd === 0 && !(code >= RST0 && code <= RST7)) scan.dataEnd = offset - 2;
    if (code === EOI) {
      complete = true;
      break;
    }
    if (code === SOI) damaged("a second image begins inside it");
    if ((code >= RST0 && code <= RST7) || code === 0x01) continue;
    const length = (byte(bytes, offset) << 8) | byte(bytes, offset + 1);
    if (length < 2 || offset + length > bytes.length) break;
    const body = bytes.subarray(offset + 2, offset + length);
    const kind = KINDS[code];
    if (kind) segments.push({ kind, start: offset + 2, end: offset + length, dataEnd: 0 });
    if (segments.length > MAX_SEGMENTS) damaged(`it has more than ${MAX_SEGMENTS} tables and scans`);
    offset += length;
    if (isFrame(code)) {
      if (frame) damaged("it has two frames");
      frame = readFrame(code, body);
    } else if (code === SOS) {
      if (!frame) damaged("a scan comes before the frame");
      if (scans++ === 0) buffered = frame.progressive || byte(body, 0) < frame.components.length;
    } else if (code === DNL) {
      throw new Problem(
        "undecodable-image",
        "The JPEG image gives its height after its pixels (DNL), which is not supported.",
      );
    } else if (code === 0xe0) {
      jfif ||= startsWith(body, "JFIF\0");
    } else if (code === 0xe1 && startsWith(body, "Exif\0")) {
      // Of several segments the others continue the first, or are another program's.
      orientation ??= exifOrientation(body.subarray(6));
    } else if (code === 0xee && startsWith(body, "Adobe") && body.length >= 12) {
      adobeTransform = byte(body, 11);
    }
  }
  if (!frame) damaged("it has no frame header");
  if (scans === 0) damaged("it has no scan");
  const last = segments.at(-1);
  if (last?.kind === "scan" && last.dataEnd === 0) last.dataEnd = bytes.length;
  const end = complete ? offset : bytes.length;
  return { ...frame, orientation: orientation ?? 1, segments, scans, buffered, adobeTransform, jfif, complete, end };
}

/** The next marker at or behind `offset`, over entropy-coded data, stuffed zeros and fill bytes. */
function nextMarker(bytes: Uint8Array, offset: number): { code: number; end: number } | undefined {
  let at = bytes.indexOf(0xff, offset);
  while (at >= 0 && at + 1 < bytes.length) {
    const code = byte(bytes, at + 1);
    if (code !== 0 && code !== 0xff) return { code, end: at + 2 };
    at = bytes.indexOf(0xff, code === 0 ? at + 2 : at + 1);
  }
  return undefined;
}

function isFrame(code: number): boolean {
  return code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc;
}

function readFrame(code: number, body: Uint8Array): Frame {
  const name = SOF_NAMES[code];
  if (name)
    throw new Problem("undecodable-image", `Expected a baseline or progressive JPEG image; a ${name} one came.`);
  const precision = byte(body, 0);
  if (precision !== 8)
    throw new Problem("undecodable-image", `Expected a JPEG image of 8 bits a sample; one of ${precision} came.`);
  const count = byte(body, 5);
  if (body.length !== 6 + 3 * count) damaged("its frame header has a wrong length");
  if (count !== 1 && count !== 3 && count !== 4) {
    throw new Problem("undecodable-image", `Expected a JPEG image of 1, 3 or 4 components; one of ${count} came.`);
  }
  const components: JpegComponent[] = [];
  for (let i = 6; i < body.length; i += 3) {
    const h = byte(body, i + 1) >> 4;
    const v = byte(body, i + 1) & 15;
    if (h < 1 || h > 4 || v < 1 || v > 4) damaged("a sampling factor is not between 1 and 4");
    components.push({ id: byte(body, i), h, v, table: byte(body, i + 2) });
  }
  return {
    hMax: Math.max(...components.map(({ h }) => h)),
    vMax: Math.max(...components.map(({ v }) => v)),
    height: (byte(body, 1) << 8) | byte(body, 2),
    width: (byte(body, 3) << 8) | byte(body, 4),
    progressive: code === 0xc2,
    components,
  };
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The JPEG image is damaged: ${why}.`);
}
