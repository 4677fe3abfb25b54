import { type BitReader, damagedJpeg } from "./jpeg-bits.ts";
import type { Kept } from "./jpeg-coefficients.ts";
import type { CodeTable, SkipTable } from "./jpeg-huffman.ts";
import type { Scan, ScanComponent } from "./jpeg-scan.ts";

/** Index among the kept coefficients of the first few in zigzag order; -1: not kept. */
const SLOTS = [0, 1, 2, -1, 3] as const;
export const LAST_SLOT = 4;

/** Decodes the blocks of one kind of scan, in their order. */
export interface BlockDecoder {
  read(bits: BitReader, component: ScanComponent, block: number): void;
  /** A restart interval begins. */
  restart(): void;
}

export function blockDecoder(scan: Scan): BlockDecoder {
  if (!scan.progressive) return new Sequential(scan.kept);
  if (scan.first > 0) return new AcFirst(scan);
  return scan.refines ? new DcRefinement(scan.kept, scan.low) : new DcFirst(scan.kept, scan.low);
}

/** A DC coefficient as the difference from the one before (T.81, F.2.2.1). */
function readDc(bits: BitReader, component: ScanComponent): number {
  const size = bits.symbol(component.dc as CodeTable);
  if (size > 15) throw damagedJpeg("a DC difference is too large");
  if (size > 0) component.prediction += bits.takeSigned(size);
  return component.prediction;
}

class DcFirst implements BlockDecoder {
  readonly #kept: Kept;
  readonly #low: number;

  constructor(kept: Kept, low: number) {
    this.#kept = kept;
    this.#low = low;
  }

  restart(): void {}

  read(bits: BitReader, component: ScanComponent, block: number): void {
    component.plane.coefficients[block * this.#kept] = readDc(bits, component) << this.#low;
  }
}

class DcRefinement implements BlockDecoder {
  readonly #kept: Kept;
  readonly #bit: number;

  constructor(kept: Kept, low: number) {
    this.#kept = kept;
    this.#bit = 1 << low;
  }

  restart(): void {}

  read(bits: BitReader, { plane }: ScanComponent, block: number): void {
    const at = block * this.#kept;
    if (bits.take(1) === 1) plane.coefficients[at] = (plane.coefficients[at] as number) | this.#bit;
  }
}

/** A whole block (T.81, F.2.2). */
class Sequential implements BlockDecoder {
  readonly #kept: Kept;

  constructor(kept: Kept) {
    this.#kept = kept;
  }

  restart(): void {}

  read(bits: BitReader, component: ScanComponent, block: number): void {
    const { coefficients } = component.plane;
    const codes = component.ac as CodeTable;
    coefficients[block * this.#kept] = readDc(bits, component);
    let k = 1;
    if (this.#kept === 4) {
      while (k <= LAST_SLOT) {
        const symbol = bits.symbol(codes);
        const size = symbol & 15;
        if (size === 0 && symbol !== 0xf0) return;
        k += symbol >> 4;
        const slot = k <= LAST_SLOT ? (SLOTS[k] as number) : -1;
        if (size > 0 && slot > 0) coefficients[block * 4 + slot] = bits.takeSigned(size);
        else bits.position += size;
        k++;
      }
    }
    bits.skipAc(k, component.skip as SkipTable, codes);
  }
}

/** The first bits of a band of AC coefficients (T.81, G.1.2.2). */
class AcFirst implements BlockDecoder {
  readonly #first: number;
  readonly #last: number;
  readonly #low: number;
  /** What the bits that are still missing amount to, about. */
  readonly #rest: number;
  /** Blocks that end without a code of their own. */
  #ended = 0;

  constructor({ first, last, low }: Scan) {
    this.#first = first;
    this.#last = last;
    this.#low = low;
    this.#rest = ((1 << low) - 1) >> 1;
  }

  restart(): void {
    this.#ended = 0;
  }

  read(bits: BitReader, { plane, ac }: ScanComponent, block: number): void {
    if (this.#ended > 0) {
      this.#ended--;
      return;
    }
    const last = this.#last;
    for (let k = this.#first; k <= last; k++) {
      const symbol = bits.symbol(ac as CodeTable);
      const run = symbol >> 4;
      const size = symbol & 15;
      if (size === 0) {
        if (run === 15) {
          k += 15;
          continue;
        }
        this.#ended = (1 << run) - 1 + (run > 0 ? bits.take(run) : 0);
        break;
      }
      k += run;
      if (k > last) throw damagedJpeg("a block has too many coefficients");
      const slot = k <= LAST_SLOT ? (SLOTS[k] as number) : -1;
      if (slot > 0) {
        const value = bits.takeSigned(size) << this.#low;
        plane.coefficients[block * 4 + slot] = value + (value < 0 ? -this.#rest : this.#rest);
      } else bits.position += size;
    }
  }
}
