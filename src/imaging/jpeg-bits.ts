import { Problem } from "../errors.ts";
import { type CodeTable, END_OF_BLOCK, FAST_BITS, SKIP_BITS, type SkipTable } from "./jpeg-huffman.ts";

// A block's code is at most 16 + 15 + 63 x 31 bits long: so far may a reader run past the end before it is told.
const PADDING = 256;

/**
 * Reads bits from the left of each byte. Past the end come zeros; the caller compares `position` with `end` after each
 * block.
 */
export class BitReader {
  readonly #view: DataView;
  readonly end: number;
  position = 0;

  /** `bytes` without stuffing, `length` of them and PADDING zeros. */
  constructor(bytes: Uint8Array, length: number) {
    this.#view = new DataView(bytes.buffer);
    this.end = length * 8;
  }

  /** The next 1 to 16 bits as a number. */
  take(count: number): number {
    const value = (this.#view.getUint32(this.position >> 3) << (this.position & 7)) >>> (32 - count);
    this.position += count;
    return value;
  }

  /** The next `size` bits, 1 to 15, as a signed value (T.81, F.2.2.1, EXTEND). */
  takeSigned(size: number): number {
    const value = this.take(size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  symbol({ fast, full }: CodeTable): number {
    const window = this.#view.getUint32(this.position >> 3) << (this.position & 7);
    const entry = (fast[window >>> (32 - FAST_BITS)] as number) || (full[window >>> 16] as number);
    if (entry === 0) throw damagedJpeg("a Huffman code does not exist");
    this.position += entry & 255;
    return entry >> 8;
  }

  /** Moves behind a sequential block's AC coefficients from the `k`th on. */
  skipAc(k: number, skip: SkipTable, codes: CodeTable): void {
    const view = this.#view;
    let position = this.position;
    let next = k;
    while (next < 64) {
      const window = view.getUint32(position >> 3) << (position & 7);
      const entry = skip[window >>> (32 - SKIP_BITS)] as number;
      const reached = next + ((entry >> 8) & 255);
      // Of a window that reaches into the next block the symbols count one by one.
      if (reached < 64 && (entry & 255) > 0) {
        position += entry & 255;
        if (entry & END_OF_BLOCK) break;
        next = reached;
        continue;
      }
      const code = codes.full[window >>> 16] as number;
      if (code === 0) throw damagedJpeg("a Huffman code does not exist");
      const size = (code >> 8) & 15;
      position += (code & 255) + size;
      if (size === 0 && code >> 12 !== 15) break;
      next += (code >> 12) + 1;
    }
    if (next > 64) throw damagedJpeg("a block has too many coefficients");
    this.position = position;
  }
}

/** The entropy-coded data of a scan, freed of stuffing, one reader for each restart interval. */
export function* restartIntervals(data: Uint8Array): Generator<BitReader, void> {
  let start = 0;
  while (start <= data.length) {
    const plain = new Uint8Array(intervalEnd(data, start) - start + PADDING);
    let length = 0;
    let from = start;
    for (;;) {
      const mark = data.indexOf(0xff, from);
      const stop = mark < 0 ? data.length : mark;
      plain.set(data.subarray(from, stop), length);
      length += stop - from;
      from = stop + 2;
      if (data[stop + 1] !== 0) break;
      plain[length++] = 0xff;
    }
    // A marker may be preceded by any number of 0xff (T.81, B.1.1.2).
    while (data[from - 1] === 0xff) from++;
    yield new BitReader(plain, length);
    start = from;
  }
}

/** The next restart marker (or the end): 0xff00 is a stuffed 0xff. */
function intervalEnd(data: Uint8Array, start: number): number {
  let at = data.indexOf(0xff, start);
  while (at >= 0 && data[at + 1] === 0) at = data.indexOf(0xff, at + 2);
  return at < 0 ? data.length : at;
}

export function damagedJpeg(why: string): Problem {
  return new Problem("undecodable-image", `The JPEG image is damaged: ${why}.`);
}
