import { Problem } from "../errors.ts";
import type { SourceFormat } from "./image.ts";

/** Leading bytes of each format; -1 stands for any byte. */
const SIGNATURES: ReadonlyArray<readonly [SourceFormat, readonly number[]]> = [
  ["jpeg", [0xff, 0xd8, 0xff]],
  ["png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["gif", [0x47, 0x49, 0x46, 0x38, 0x37, 0x61]],
  ["gif", [0x47, 0x49, 0x46, 0x38, 0x39, 0x61]],
  ["webp", [0x52, 0x49, 0x46, 0x46, -1, -1, -1, -1, 0x57, 0x45, 0x42, 0x50]],
];

const MAX_FTYP = 256;

/** What other files begin with, so that the answer can name what came. */
const OTHERS: ReadonlyArray<readonly [string, RegExp]> = [
  ["an SVG document", /^\s*<(svg\b|[?!].*<svg\b)/is],
  ["an HTML page", /^\s*<(!doctype html|html|head|body|script)/i],
  ["an XML document", /^\s*<\?xml/i],
  ["a PDF document", /^%PDF-/],
  ["a TIFF image", /^(II\*|MM)/],
  ["a BMP image", /^BM/],
  ["a HEIC image", /^....ftyp(hei[cxms]|hevc|mif1|msf1)/s],
  ["a JPEG XL image", /^\xff\n/],
];

/** The format by the file's first bytes; a file name or content type is only a claim. Throws `unsupported-format`. */
export function sniff(bytes: Uint8Array): SourceFormat {
  for (const [format, signature] of SIGNATURES) {
    if (bytes.length >= signature.length && signature.every((byte, i) => byte < 0 || byte === bytes[i])) return format;
  }
  if (hasAvifBrand(bytes)) return "avif";
  throw new Problem("unsupported-format", `Expected a JPEG, PNG, WebP, GIF or AVIF image; ${describe(bytes)} came.`);
}

/** AVIF files name their brand first or among the compatible ones of their `ftyp` box. */
function hasAvifBrand(bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes.subarray(4, MAX_FTYP));
  if (!text.startsWith("ftyp")) return false;
  const length = Math.min(MAX_FTYP, (bytes[2] ?? 0) * 256 + (bytes[3] ?? 0)) - 4;
  for (let at = 4; at + 4 <= length; at += 4) if (/^avi[fs]/.test(text.slice(at, at + 4))) return true;
  return false;
}

function describe(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file";
  const start = String.fromCharCode(...bytes.subarray(0, 512));
  return OTHERS.find(([, pattern]) => pattern.test(start))?.[0] ?? "something else";
}
