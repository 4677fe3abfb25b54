/** Huffman tables of JPEG (ITU-T T.81, annexes C and F), for reading DC differences and for getting past AC coefficients. */

const WINDOW = 16;

/** By the next 16 bits: `symbol << 8 | code length`, or 0 where no code begins so. */
export type CodeTable = Uint16Array;

/**
 * By the next 16 bits, how far to skip: `coefficients << 8 | bits`, over as many whole AC symbols with their values as
 * fit into the window; `END_OF_BLOCK` is set if the last one ended the block. 0 bits: not even one fits.
 */
export type SkipTable = Uint32Array;

export const END_OF_BLOCK = 1 << 16;

/** The table of a DHT segment: `counts[i]` codes of `i + 1` bits, their symbols in order. False codes throw. */
export function codeTable(counts: Uint8Array, symbols: Uint8Array): CodeTable {
  const table = new Uint16Array(1 << WINDOW);
  let code = 0;
  let next = 0;
  for (const [i, count] of counts.entries()) {
    const length = i + 1;
    const span = 1 << (WINDOW - length);
    for (let j = 0; j < count; j++) {
      if (code >= 1 << length) throw new RangeError("a Huffman table has too many codes");
      table.fill(((symbols[next++] ?? 0) << 8) | length, code * span, (code + 1) * span);
      code++;
    }
    code <<= 1;
  }
  return table;
}

/** Sums up runs of symbols of an AC table of a sequential scan (T.81, F.2.2.2). */
export function skipTable(codes: CodeTable): SkipTable {
  const table = new Uint32Array(1 << WINDOW);
  for (let window = 0; window < table.length; window++) {
    let bits = 0;
    let coefficients = 0;
    let end = 0;
    while (bits < WINDOW && end === 0) {
      const entry = codes[(window << bits) & 0xffff] as number;
      const length = entry & 255;
      const run = entry >> 12;
      const size = (entry >> 8) & 15;
      if (length === 0 || bits + length + size > WINDOW) break;
      bits += length + size;
      if (size === 0 && run !== 15) end = END_OF_BLOCK;
      else coefficients += run + 1;
    }
    table[window] = end | (coefficients << 8) | bits;
  }
  return table;
}
