/** Huffman tables of JPEG (ITU-T T.81, annexes C and F), for reading symbols and for getting past AC coefficients. */

/** Entries are `symbol << 8 | code length`, or 0 where no code (or none that short) begins so. */
export interface CodeTable {
  /** By the next `FAST_BITS` bits: nearly every code, in a table that stays in the processor's first cache. */
  readonly fast: Uint16Array;
  /** By the next 16 bits: all codes. */
  readonly full: Uint16Array;
}

/**
 * By the next `SKIP_BITS` bits, how far to skip: `coefficients << 8 | bits`, over as many whole AC symbols with their
 * values as fit into them; `END_OF_BLOCK` is set if the last one ended the block. 0 bits: not even one fits.
 */
export type SkipTable = Uint32Array;

export const FAST_BITS = 9;
export const SKIP_BITS = 12;
export const END_OF_BLOCK = 1 << 16;

/** The table of a DHT segment: `counts[i]` codes of `i + 1` bits, their symbols in order. False codes throw. */
export function codeTable(counts: Uint8Array, symbols: Uint8Array): CodeTable {
  const full = new Uint16Array(1 << 16);
  const fast = new Uint16Array(1 << FAST_BITS);
  let code = 0;
  let next = 0;
  for (const [i, count] of counts.entries()) {
    const length = i + 1;
    for (let j = 0; j < count; j++, code++) {
      if (code >= 1 << length) throw new RangeError("a Huffman table has too many codes");
      const entry = ((symbols[next++] ?? 0) << 8) | length;
      full.fill(entry, code << (16 - length), (code + 1) << (16 - length));
      if (length <= FAST_BITS) fast.fill(entry, code << (FAST_BITS - length), (code + 1) << (FAST_BITS - length));
    }
    code <<= 1;
  }
  return { fast, full };
}

/** Sums up runs of symbols of an AC table of a sequential scan (T.81, F.2.2.2). */
export function skipTable({ full }: CodeTable): SkipTable {
  const table = new Uint32Array(1 << SKIP_BITS);
  for (let window = 0; window < table.length; window++) {
    let bits = 0;
    let coefficients = 0;
    let end = 0;
    while (bits < SKIP_BITS && end === 0) {
      const entry = full[(window << (16 - SKIP_BITS + bits)) & 0xffff] as number;
      const length = entry & 255;
      const run = entry >> 12;
      const size = (entry >> 8) & 15;
      if (length === 0 || bits + length + size > SKIP_BITS) break;
      bits += length + size;
      if (size === 0 && run !== 15) end = END_OF_BLOCK;
      else coefficients += run + 1;
    }
    table[window] = end | (coefficients << 8) | bits;
  }
  return table;
}
