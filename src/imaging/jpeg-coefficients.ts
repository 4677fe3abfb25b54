import { damagedJpeg } from "./jpeg-bits.ts";
import { LAST_SLOT } from "./jpeg-blocks.ts";
import { AC, HuffmanTables } from "./jpeg-huffman-tables.ts";
import type { JpegHeader } from "./jpeg-markers.ts";
import { readScanData, type Scan, type ScanComponent } from "./jpeg-scan.ts";

/** How many coefficients are kept of each block: the mean alone, or the 2 x 2 lowest frequencies. */
export type Kept = 1 | 4;

/** The low-frequency coefficients of one component. */
export interface CoefficientPlane {
  /** Blocks that the picture covers, and blocks from one row to the next (the last MCU may reach further). */
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  /** Coefficients 0, 1, 2 and 4 in zigzag order (or 0 alone) of each block, quantised. */
  readonly coefficients: Int16Array;
  /** The quantiser's steps for them; empty before the component's first scan. */
  steps: readonly number[];
}

interface Tables {
  readonly quantiser: Map<number, readonly number[]>;
  readonly huffman: HuffmanTables;
  restartInterval: number;
}

/** Bytes that the planes of a picture take. */
export function planeBytes(header: JpegHeader, kept: Kept): number {
  const blocks = layout(header).reduce((sum, { stride, rows }) => sum + stride * rows, 0);
  return blocks * kept * 2;
}

/**
 * Reads the low-frequency coefficients of a Huffman-coded JPEG file (ITU-T T.81, annexes F and G), sequential or
 * progressive, and gets past all others, where libjpeg holds all 64 of each block of a progressive file (128 bytes: 120
 * MB for 20 million pixels in 4:4:4).
 *
 * Strict: throws `undecodable-image` for data that libjpeg would guess.
 */
export function readCoefficients(bytes: Uint8Array, header: JpegHeader, kept: Kept): CoefficientPlane[] {
  const planes = layout(header).map(({ width, height, stride, rows }): CoefficientPlane => {
    const coefficients = new Int16Array(stride * rows * kept);
    return { width, height, stride, coefficients, steps: [] };
  });
  const tables: Tables = { quantiser: new Map(), huffman: new HuffmanTables(), restartInterval: 0 };
  for (const segment of header.segments) {
    const body = bytes.subarray(segment.start, segment.end);
    if (segment.kind === "tables") readQuantisers(body, tables);
    else if (segment.kind === "huffman") tables.huffman.define(body);
    else if (segment.kind === "restart") tables.restartInterval = uint16(body, 0);
    else {
      const scan = readScanHeader(body, header, planes, tables, kept);
      if (scan) readScanData(bytes.subarray(segment.end, segment.dataEnd), scan);
    }
  }
  if (planes.some(({ steps }) => steps.length === 0)) throw damagedJpeg("a component has no scan");
  return planes;
}

/** Size of each component in blocks. */
function layout(header: JpegHeader): { width: number; height: number; stride: number; rows: number }[] {
  const { width, height, components, hMax, vMax } = header;
  return components.map(({ h, v }) => ({
    width: Math.ceil(Math.ceil((width * h) / hMax) / 8),
    height: Math.ceil(Math.ceil((height * v) / vMax) / 8),
    stride: Math.ceil(width / (8 * hMax)) * h,
    rows: Math.ceil(height / (8 * vMax)) * v,
  }));
}

function readQuantisers(body: Uint8Array, tables: Tables): void {
  for (let offset = 0; offset < body.length; ) {
    const info = body[offset++] ?? 0;
    const start = offset;
    const wide = info >> 4 !== 0;
    const step = (i: number): number => (wide ? uint16(body, start + 2 * i) : (body[start + i] ?? 0));
    tables.quantiser.set(info & 15, [step(0), step(1), step(2), step(4)]);
    offset += wide ? 128 : 64;
  }
}

/** What a scan brings (T.81, B.2.3), or nothing if that is not kept. */
function readScanHeader(
  body: Uint8Array,
  header: JpegHeader,
  planes: readonly CoefficientPlane[],
  tables: Tables,
  kept: Kept,
): Scan | undefined {
  const count = body[0] ?? 0;
  if (count < 1 || count > 4 || body.length !== 4 + 2 * count) throw damagedJpeg("a scan header has a wrong length");
  const { progressive } = header;
  const first = progressive ? (body[1 + 2 * count] ?? 0) : 0;
  const last = progressive ? (body[2 + 2 * count] ?? 0) : 63;
  const approximation = progressive ? (body[3 + 2 * count] ?? 0) : 0;
  const low = approximation & 15;
  if (last > 63 || last < first || low > 13) throw damagedJpeg("a scan header makes no sense");
  if (progressive && first === 0 && last > 0) throw damagedJpeg("a scan mixes DC and AC coefficients");
  if (first > 0 && count > 1) throw damagedJpeg("a scan of AC coefficients has several components");
  const refines = approximation >> 4 > 0;
  if (first > (kept === 1 ? 0 : LAST_SLOT) || (first > 0 && refines)) return undefined;
  const components = Array.from({ length: count }, (_, i): ScanComponent => {
    const index = header.components.findIndex(({ id }) => id === body[1 + 2 * i]);
    const component = header.components[index];
    const plane = planes[index];
    if (!component || !plane) throw damagedJpeg("a scan names an unknown component");
    if (plane.steps.length === 0) plane.steps = tables.quantiser.get(component.table) ?? [];
    const selected = body[2 + 2 * i] ?? 0;
    const acTable = AC | (selected & 15);
    const dc = first === 0 && !refines ? tables.huffman.codes(selected >> 4) : undefined;
    const ac = last > 0 ? tables.huffman.codes(acTable) : undefined;
    const skip = progressive ? undefined : tables.huffman.skip(acTable);
    return { plane, h: component.h, v: component.v, dc, ac, skip, prediction: 0 };
  });
  const mcus = { x: Math.ceil(header.width / (8 * header.hMax)), y: Math.ceil(header.height / (8 * header.vMax)) };
  return { components, mcus, kept, progressive, first, last, low, refines, restartInterval: tables.restartInterval };
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
