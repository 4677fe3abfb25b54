/** A POST whose body is a thumbnail already: made before by this service, or by a device that runs the downscaler itself. */
import { Problem } from "../errors.ts";
import { openAvif } from "../imaging/avif.ts";
import { decodeExact } from "../imaging/decode.ts";
import type { LoadCodec, OpenSource, RgbImage, SourceFormat } from "../imaging/image.ts";
import { decodeNpy, isNpy } from "../imaging/npy.ts";
import { openPng } from "../imaging/png.ts";
import { sniff } from "../imaging/sniff.ts";
import { openWebp } from "../imaging/webp.ts";

/** The image formats that thumbnails come in. A JPEG is taken for a photo. */
const OPENERS: Partial<Record<SourceFormat, OpenSource>> = { png: openPng, webp: openWebp, avif: openAvif };

/**
 * The pixels, if the body is an npy file, or a PNG, WebP or AVIF of exactly `side` pixels a side; null if it is a photo.
 *
 * @throws Problem `invalid-request` for an npy file of another size, which can be no photo; what decoding throws.
 */
export async function readyThumbnail(body: Uint8Array, side: number, loadCodec: LoadCodec): Promise<RgbImage | null> {
  if (isNpy(body)) {
    const image = decodeNpy(body);
    if (image.width === side && image.height === side) return image;
    throw new Problem(
      "invalid-request",
      `Expected an npy file of shape (${side}, ${side}, 3), but got (${image.height}, ${image.width}, 3).`,
    );
  }
  const open = OPENERS[sniff(body)];
  return open && isOfSide(open, body, side) ? decodeExact(body, loadCodec) : null;
}

function isOfSide(open: OpenSource, body: Uint8Array, side: number): boolean {
  try {
    const { width, height } = open(body).header;
    return width === side && height === side;
  } catch {
    // Damaged: decoding it as a photo says what is wrong.
    return false;
  }
}
