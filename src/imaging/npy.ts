import { Problem } from "../errors.ts";
import type { RgbImage } from "./image.ts";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
const ALIGNMENT = 64;

/** An `.npy` file, version 1.0 (NEP 1): uint8, shape (height, width, 3), C order. `numpy.load` reads it. */
export function encodeNpy(image: RgbImage): Uint8Array<ArrayBuffer> {
  const header = npyHeader([image.height, image.width, 3]);
  const file = new Uint8Array(header.length + image.data.length);
  file.set(header);
  file.set(image.data, header.length);
  return file;
}

/** What stands before a uint8 array of this shape in C order: 128 bytes for every shape that occurs here. */
export function npyHeader(shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const length = Math.ceil((MAGIC.length + 2 + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = `${text.padEnd(length - MAGIC.length - 3)}\n`;
  const file = new Uint8Array(length);
  file.set(MAGIC);
  file.set([header.length & 255, header.length >> 8], MAGIC.length);
  file.set(new TextEncoder().encode(header), MAGIC.length + 2);
  return file;
}

const HEADER = /^\{'descr': '\|u1', 'fortran_order': False, 'shape': \((\d{1,5}), (\d{1,5}), 3\), ?\} *\n$/;

/** Is this an `.npy` file, of whatever version. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.slice(0, 6).every((byte, i) => bytes[i] === byte);
}

/** Reads what `encodeNpy` writes, and numpy's own `save` of such an array. Throws `undecodable-image`. */
export function decodeNpy(bytes: Uint8Array): RgbImage {
  const length = (bytes[8] ?? 0) | ((bytes[9] ?? 0) << 8);
  const header = new TextDecoder("latin1").decode(bytes.subarray(10, 10 + length));
  const match = MAGIC.every((byte, i) => bytes[i] === byte) ? HEADER.exec(header) : null;
  const height = Number(match?.[1] ?? 0);
  const width = Number(match?.[2] ?? 0);
  const data = bytes.slice(10 + length);
  if (!match || width < 1 || height < 1 || data.length !== width * height * 3) {
    throw new Problem(
      "undecodable-image",
      "Expected an npy file (version 1.0) of a uint8 array of shape (height, width, 3) in C order.",
    );
  }
  return { width, height, data };
}
