import { damagedJpeg } from "./jpeg-bits.ts";
import { type CodeTable, codeTable, type SkipTable, skipTable } from "./jpeg-huffman.ts";

/** A table as it is defined `at` a place of a DHT segment, and what a scan that selected it has had made of it. */
interface HuffmanTable {
  readonly body: Uint8Array;
  readonly at: number;
  codes?: CodeTable;
  skip?: SkipTable;
}

/** The class of AC tables, as it stands beside their number (T.81, B.2.4.2). */
export const AC = 0x10;
const LARGEST_NUMBER = 3;

/**
 * The tables that DHT segments have defined so far, by class and number. One is made when a scan selects it, as in libjpeg:
 * its definition may be 18 bytes long and one of a million in a file, made it has 130 KB.
 */
export class HuffmanTables {
  readonly #defined = new Map<number, HuffmanTable>();

  /** Reads the body of a DHT segment. */
  define(body: Uint8Array): void {
    for (let offset = 0; offset + 17 <= body.length; ) {
      const destination = body[offset] ?? 0;
      // libjpeg refuses the same ones.
      if ((destination & ~AC) > LARGEST_NUMBER) throw damagedJpeg("a Huffman table has an unknown class or number");
      const at = offset + 1;
      this.#defined.set(destination, { body, at });
      offset = at + 16;
      for (let i = at; i < at + 16; i++) offset += body[i] ?? 0;
    }
  }

  codes(destination: number): CodeTable {
    const table = this.#selected(destination);
    const { body, at } = table;
    table.codes ??= codeTable(body.subarray(at, at + 16), body.subarray(at + 16));
    return table.codes;
  }

  /** Of an AC table, for sequential scans. */
  skip(destination: number): SkipTable {
    const table = this.#selected(destination);
    table.skip ??= skipTable(this.codes(destination));
    return table.skip;
  }

  #selected(destination: number): HuffmanTable {
    const table = this.#defined.get(destination);
    if (!table) throw damagedJpeg("a Huffman table is missing");
    return table;
  }
}
