import { Problem } from "../errors.ts";
import { type CodeTable, codeTable, END_OF_BLOCK, type SkipTable, skipTable } from "./jpeg-huffman.ts";
import type { JpegComponent, JpegHeader, Segment } from "./jpeg-markers.ts";

/** The DC coefficients of one component, one for every block of 8 x 8 samples. */
export interface DcPlane {
  /** Blocks that the picture covers, and blocks from one row to the next (the last MCU may reach further). */
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly coefficients: Int16Array;
  /** The quantiser's step. */
  step: number;
}

interface Tables {
  readonly quantiser: Map<number, number>;
  readonly dc: Map<number, CodeTable>;
  readonly ac: Map<number, CodeTable>;
  readonly skip: Map<number, SkipTable>;
  restartInterval: number;
}

interface ScanComponent {
  readonly plane: DcPlane;
  readonly component: JpegComponent;
  readonly dc: CodeTable | undefined;
  readonly ac: CodeTable | undefined;
  readonly skip: SkipTable | undefined;
  prediction: number;
}

/** Which successive approximation a scan brings: its first, down to bit `low`, or the refinement by that bit. */
interface Approximation {
  readonly first: boolean;
  readonly low: number;
}

/**
 * Reads the DC coefficients of a Huffman-coded JPEG file (ITU-T T.81, annexes F and G), sequential or progressive, and gets
 * past everything else: a progressive file's AC scans are not looked at, a sequential file's AC codes are skipped several at a time.
 *
 * A DC coefficient is the mean of its block, so these are the picture at 1/8 scale for 2 bytes a block, where libjpeg holds all the
 * coefficients of a progressive file (128 bytes a block: 120 MB for 20 million pixels in 4:4:4).
 * Strict: throws `undecodable-image` for data that libjpeg would guess.
 */
export function readDcPlanes(bytes: Uint8Array, header: JpegHeader): DcPlane[] {
  const hMax = Math.max(...header.components.map(({ h }) => h));
  const vMax = Math.max(...header.components.map(({ v }) => v));
  const mcus = { x: Math.ceil(header.width / (8 * hMax)), y: Math.ceil(header.height / (8 * vMax)) };
  const planes = header.components.map(({ h, v }): DcPlane => {
    const stride = mcus.x * h;
    return {
      width: Math.ceil(Math.ceil((header.width * h) / hMax) / 8),
      height: Math.ceil(Math.ceil((header.height * v) / vMax) / 8),
      stride,
      coefficients: new Int16Array(stride * mcus.y * v),
      step: 0,
    };
  });
  const tables: Tables = { quantiser: new Map(), dc: new Map(), ac: new Map(), skip: new Map(), restartInterval: 0 };
  for (const segment of header.segments) {
    const body = bytes.subarray(segment.start, segment.end);
    if (segment.kind === "tables") readQuantisers(body, tables);
    else if (segment.kind === "huffman") readHuffmanTables(body, tables);
    else if (segment.kind === "restart") tables.restartInterval = uint16(body, 0);
    else readScan(bytes, segment, header, planes, tables, mcus);
  }
  if (planes.some(({ step }) => step === 0)) damaged("a component has no scan");
  return planes;
}

function readQuantisers(body: Uint8Array, tables: Tables): void {
  for (let offset = 0; offset < body.length; ) {
    const info = body[offset++] ?? 0;
    const wide = info >> 4 !== 0;
    tables.quantiser.set(info & 15, wide ? uint16(body, offset) : (body[offset] ?? 0));
    offset += wide ? 128 : 64;
  }
}

function readHuffmanTables(body: Uint8Array, tables: Tables): void {
  for (let offset = 0; offset + 17 <= body.length; ) {
    const info = body[offset] ?? 0;
    const counts = body.subarray(offset + 1, offset + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const codes = codeTable(counts, body.subarray(offset + 17, offset + 17 + total));
    offset += 17 + total;
    if (info >> 4 === 0) tables.dc.set(info & 15, codes);
    else {
      tables.ac.set(info & 15, codes);
      tables.skip.delete(info & 15);
    }
  }
}

function readScan(
  bytes: Uint8Array,
  segment: Segment,
  header: JpegHeader,
  planes: readonly DcPlane[],
  tables: Tables,
  mcus: { x: number; y: number },
): void {
  const body = bytes.subarray(segment.start, segment.end);
  const count = body[0] ?? 0;
  if (count < 1 || count > 4 || body.length !== 4 + 2 * count) damaged("a scan header has a wrong length");
  const spectralStart = body[1 + 2 * count] ?? 0;
  // The AC scans of a progressive file.
  if (header.progressive && spectralStart > 0) return;
  const approximation = body[3 + 2 * count] ?? 0;
  const components: ScanComponent[] = [];
  for (let i = 1; i < 1 + 2 * count; i += 2) {
    const index = header.components.findIndex(({ id }) => id === body[i]);
    const component = header.components[index];
    const plane = planes[index];
    if (!component || !plane) damaged("a scan names an unknown component");
    if (plane.step === 0) plane.step = tables.quantiser.get(component.table) ?? 0;
    const selected = body[i + 1] ?? 0;
    const ac = header.progressive ? undefined : tables.ac.get(selected & 15);
    if (!header.progressive && !ac) damaged("a Huffman table is missing");
    if (ac && !tables.skip.has(selected & 15)) tables.skip.set(selected & 15, skipTable(ac));
    const skip = ac && tables.skip.get(selected & 15);
    components.push({ plane, component, dc: tables.dc.get(selected >> 4), ac, skip, prediction: 0 });
  }
  const low = header.progressive ? approximation & 15 : 0;
  const first = !header.progressive || approximation >> 4 === 0;
  if (low > 13) damaged("a scan has a wrong point transform");
  const intervals = entropyIntervals(bytes.subarray(segment.end, segment.dataEnd));
  readMcus(intervals, components, { first, low }, mcus, tables.restartInterval);
}

function readMcus(
  intervals: Generator<BitReader, void>,
  components: readonly ScanComponent[],
  approximation: Approximation,
  mcus: { x: number; y: number },
  restartInterval: number,
): void {
  const [only] = components;
  // The blocks of a scan of one component follow each other row by row, whatever its sampling factors (T.81, A.2.2).
  const alone = components.length === 1 && only ? only.plane : undefined;
  const columns = alone ? alone.width : mcus.x;
  const rows = alone ? alone.height : mcus.y;
  let bits = nextInterval(intervals);
  let left = restartInterval || 2 ** 31 - 1;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      if (left === 0) {
        bits = nextInterval(intervals);
        left = restartInterval;
        for (const scanned of components) scanned.prediction = 0;
      }
      left--;
      for (const scanned of components) {
        const { plane, component } = scanned;
        const h = alone ? 1 : component.h;
        const v = alone ? 1 : component.v;
        for (let j = 0; j < v; j++) {
          const at = (y * v + j) * plane.stride + x * h;
          for (let i = 0; i < h; i++) readBlock(bits, scanned, approximation, at + i);
        }
      }
    }
  }
  if (bits.position > bits.end) damaged("it is truncated");
}

function readBlock(bits: BitReader, scanned: ScanComponent, { first, low }: Approximation, at: number): void {
  const { coefficients } = scanned.plane;
  if (!first) {
    if (bits.take(1) === 1) coefficients[at] = (coefficients[at] as number) | (1 << low);
    return;
  }
  if (!scanned.dc) damaged("a Huffman table is missing");
  const size = bits.symbol(scanned.dc);
  if (size > 15) damaged("a DC difference is too large");
  if (size > 0) {
    const value = bits.take(size);
    scanned.prediction += value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }
  coefficients[at] = scanned.prediction << low;
  if (scanned.skip && scanned.ac) bits.skipAc(scanned.skip, scanned.ac);
  if (bits.position > bits.end) damaged("it is truncated");
}

/** The entropy-coded data of a scan, one reader for each restart interval. */
function* entropyIntervals(data: Uint8Array): Generator<BitReader, void> {
  let start = 0;
  while (start <= data.length) {
    let end = start;
    // Up to a restart marker; 0xff00 is a stuffed 0xff, 0xffff fill.
    const plain = new Uint8Array(intervalEnd(data, start) - start + PADDING);
    let length = 0;
    for (;;) {
      const mark = data.indexOf(0xff, end);
      const stop = mark < 0 ? data.length : mark;
      plain.set(data.subarray(end, stop), length);
      length += stop - end;
      if (mark < 0) {
        end = data.length + 1;
        break;
      }
      end = mark + 2;
      if (data[mark + 1] !== 0) break;
      plain[length++] = 0xff;
    }
    yield new BitReader(plain, length);
    start = end;
  }
}

function intervalEnd(data: Uint8Array, start: number): number {
  let at = data.indexOf(0xff, start);
  while (at >= 0 && data[at + 1] === 0) at = data.indexOf(0xff, at + 2);
  return at < 0 ? data.length : at;
}

function nextInterval(intervals: Generator<BitReader, void>): BitReader {
  const { value } = intervals.next();
  return value ?? damaged("it is truncated");
}

// A block's code is at most 16 + 15 + 63 x 31 bits long: so far may a reader run past the end before it is told.
const PADDING = 256;

/** Reads bits from the left of each byte. Past the end come zeros; the caller compares `position` with `end`. */
class BitReader {
  readonly #view: DataView;
  readonly end: number;
  position = 0;

  constructor(bytes: Uint8Array, length: number) {
    this.#view = new DataView(bytes.buffer);
    this.end = length * 8;
  }

  take(count: number): number {
    const value = (this.#view.getUint32(this.position >> 3) << (this.position & 7)) >>> (32 - count);
    this.position += count;
    return value;
  }

  symbol(table: CodeTable): number {
    const entry = table[(this.#view.getUint32(this.position >> 3) << (this.position & 7)) >>> 16] as number;
    if (entry === 0) damaged("a Huffman code does not exist");
    this.position += entry & 255;
    return entry >> 8;
  }

  /** Moves behind the 63 AC coefficients of a sequential block. */
  skipAc(skip: SkipTable, codes: CodeTable): void {
    const view = this.#view;
    let position = this.position;
    let k = 1;
    while (k < 64) {
      const window = (view.getUint32(position >> 3) << (position & 7)) >>> 16;
      const entry = skip[window] as number;
      const next = k + ((entry >> 8) & 255);
      // Of a window that reaches into the next block the symbols count one by one.
      if (next < 64 && (entry & 255) > 0) {
        position += entry & 255;
        if (entry & END_OF_BLOCK) break;
        k = next;
        continue;
      }
      const code = codes[window] as number;
      if (code === 0) damaged("a Huffman code does not exist");
      const size = (code >> 8) & 15;
      position += (code & 255) + size;
      if (size === 0 && code >> 12 !== 15) break;
      k += (code >> 12) + 1;
    }
    if (k > 64) damaged("a block has too many coefficients");
    this.position = position;
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The JPEG image is damaged: ${why}.`);
}
