/** Damaged images for decoders, the same for the same seed. */
import { readdirSync, readFileSync } from "node:fs";

const GOLDEN = new URL("../fixtures/golden/", import.meta.url);

/** One file of each format and colour type. */
export const SEEDS: readonly Uint8Array<ArrayBuffer>[] = readdirSync(GOLDEN)
  .filter((name) => /\.(png|jpeg|webp|gif|avif)$/.test(name))
  .sort()
  .map((name) => new Uint8Array(readFileSync(new URL(name, GOLDEN))));

/** Numbers that overflow, underflow or ask for too much. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff] as const;

export type Random = () => number;

/** Mulberry32: 32 bits of state are enough to never repeat in a test. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Picks a file and damages it in one to four ways; headers, where sizes stand, get half of the damage. */
export function mutate(random: Random, seeds: readonly Uint8Array[] = SEEDS): Uint8Array<ArrayBuffer> {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  let file = new Uint8Array(pick(seeds));
  for (let count = 1 + Math.floor(random() * 4); count > 0; count--) {
    const range = random() < 0.5 ? Math.min(file.length, 128) : file.length;
    file = pick(MUTATIONS)(file, Math.floor(random() * range), random, pick(seeds));
  }
  return file;
}

type Mutation = (
  file: Uint8Array<ArrayBuffer>,
  at: number,
  random: Random,
  other: Uint8Array,
) => Uint8Array<ArrayBuffer>;

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

const length = (random: Random) => 1 + Math.floor(random() ** 3 * 2000);

const MUTATIONS: readonly Mutation[] = [
  function flipBit(file, at, random) {
    const bit = 1 << Math.floor(random() * 8);
    return joined(file.subarray(0, at), Uint8Array.of((file[at] ?? 0) ^ bit), file.subarray(at + 1));
  },
  function writeByte(file, at, random) {
    return joined(file.subarray(0, at), Uint8Array.of(Math.floor(random() * 256)), file.subarray(at + 1));
  },
  function writeExtreme(file, at, random) {
    const value = EXTREMES[Math.floor(random() * EXTREMES.length)] ?? 0;
    const bytes = new Uint8Array(random() < 0.5 ? 2 : 4);
    for (let index = 0; index < bytes.length; index++) {
      bytes[index] = value >>> (8 * (random() < 0.5 ? index : bytes.length - 1 - index));
    }
    return joined(file.subarray(0, at), bytes, file.subarray(at + bytes.length));
  },
  function truncate(file, at) {
    return file.slice(0, at);
  },
  function remove(file, at, random) {
    return joined(file.subarray(0, at), file.subarray(at + length(random)));
  },
  function repeat(file, at, random) {
    const part = file.subarray(at, at + length(random));
    return joined(file.subarray(0, at), part, part, part, file.subarray(at));
  },
  function noise(file, at, random) {
    const part = Uint8Array.from({ length: length(random) }, () => random() * 256);
    return joined(file.subarray(0, at), part, file.subarray(at));
  },
  function splice(file, at, _, other) {
    return joined(file.subarray(0, at), other.subarray(Math.min(at, other.length)));
  },
  function fill(file, at, random) {
    const part = new Uint8Array(length(random)).fill(random() < 0.5 ? 0 : 255);
    return joined(file.subarray(0, at), part, file.subarray(at + part.length));
  },
];
