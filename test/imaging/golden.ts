import { readdirSync, readFileSync } from "node:fs";
import type { RgbImage } from "../../src/imaging/image.ts";
import { decodeNpy } from "../../src/imaging/npy.ts";

const FOLDER = new URL("../fixtures/golden/", import.meta.url);

/** Names of the golden files that `pattern` matches. */
export function goldenNames(pattern: RegExp): string[] {
  return readdirSync(FOLDER).filter((name) => pattern.test(name));
}

export function goldenFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}

/** What Pillow made of it (test/fixtures/make_golden.py). */
export function goldenPixels(name: string): RgbImage {
  return decodeNpy(goldenFile(name));
}

/** The noise that make_golden.py makes. */
export function noise(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state >>> 24;
  }
  return { width, height, data };
}

/** Mean and largest absolute difference of two pictures of one size. */
export function difference(a: Uint8Array, b: Uint8Array): { mean: number; max: number } {
  if (a.length !== b.length) throw new Error(`${a.length} bytes against ${b.length}`);
  let sum = 0;
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    sum += distance;
    max = Math.max(max, distance);
  }
  return { mean: sum / a.length, max };
}
