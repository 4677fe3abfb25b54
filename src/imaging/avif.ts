import avifDecoder from "@jsquash/avif/codec/dec/avif_dec.js";
import { Problem } from "../errors.ts";
import { readAvifBoxes } from "./avif-boxes.ts";
import { EmscriptenCodec } from "./emscripten.ts";
import type { OpenSource } from "./image.ts";
import { checkPixels } from "./limits.ts";

interface Decoder {
  /** RGBA, not premultiplied; null if the file is bad. */
  decode(file: Uint8Array, bitDepth: 8): { width: number; height: number; data: Uint8ClampedArray } | null;
}

const MAX_PIXELS = 3e6;
const codec = new EmscriptenCodec<Decoder>("avif-decode", avifDecoder, 80 * 2 ** 20);

/**
 * AVIF by libavif and dav1d. The decoder leaves the container's `irot` and `imir` to us: they become the header's orientation (and an EXIF block
 * does not count, as the standard demands). Of a sequence the primary image is taken; alpha is discarded.
 */
export const openAvif: OpenSource = (bytes) => {
  const header = readAvifBoxes(bytes);
  checkPixels("AVIF", header, MAX_PIXELS);
  return {
    header,
    async decode(target, loadCodec) {
      const picture = await codec.run(
        loadCodec,
        (decoder) => decoder.decode(bytes, 8) ?? damaged("libavif cannot decode it"),
      );
      if (picture.width !== header.width || picture.height !== header.height)
        damaged("its size is not what its header says");
      const rgba = new Uint8Array(picture.data.buffer);
      const sink = target.open(picture.width, picture.height, 4);
      for (let y = 0; y < picture.height; y++) sink.push(rgba, y * picture.width * 4);
    },
  };
};

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The AVIF image is damaged: ${why}.`);
}
