import type { Orientation } from "./image.ts";

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * The orientation in a TIFF-structured EXIF block (`II*\0` or `MM\0*` first). EXIF is decoration: whatever is damaged
 * or missing means 1, never an error.
 */
export function exifOrientation(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (view.byteLength < 8) return 1;
  const mark = view.getUint16(0);
  if (mark !== 0x4949 && mark !== 0x4d4d) return 1;
  const little = mark === 0x4949;
  if (view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > view.byteLength) return 1;
    if (view.getUint16(entry, little) !== ORIENTATION_TAG) continue;
    return view.getUint16(entry + 2, little) === SHORT ? asOrientation(view.getUint16(entry + 8, little)) : 1;
  }
  return 1;
}

function asOrientation(value: number): Orientation {
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}
