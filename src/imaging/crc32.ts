/** CRC-32 of PNG chunks (ISO 3309), eight bytes a step ("slicing-by-8": Kounavis and Berry, 2008). */

const TABLES = Array.from({ length: 8 }, () => new Int32Array(256));
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  T0[n] = c;
}
for (let n = 0; n < 256; n++) {
  for (let slice = 1; slice < 8; slice++) {
    const before = (TABLES[slice - 1] as Int32Array)[n] as number;
    (TABLES[slice] as Int32Array)[n] = (before >>> 8) ^ (T0[before & 255] as number);
  }
}

/** The unsigned CRC-32 of `bytes[start..end]`. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let c = -1;
  let i = start;
  const b = (at: number): number => bytes[at] as number;
  for (; i + 8 <= end; i += 8) {
    c ^= b(i) | (b(i + 1) << 8) | (b(i + 2) << 16) | (b(i + 3) << 24);
    c =
      (T7[c & 255] as number) ^
      (T6[(c >>> 8) & 255] as number) ^
      (T5[(c >>> 16) & 255] as number) ^
      (T4[c >>> 24] as number) ^
      (T3[b(i + 4)] as number) ^
      (T2[b(i + 5)] as number) ^
      (T1[b(i + 6)] as number) ^
      (T0[b(i + 7)] as number);
  }
  for (; i < end; i++) c = (c >>> 8) ^ (T0[(c ^ b(i)) & 255] as number);
  return ~c >>> 0;
}
