import avifDecoder from "@jsquash/avif/codec/dec/avif_dec.js";
import { Problem } from "../errors.ts";
import { type AvifHeader, readAvifBoxes } from "./avif-boxes.ts";
import { EmscriptenCodec } from "./emscripten.ts";
import type { OpenSource } from "./image.ts";
import { checkMemory, DECODER_MEMORY } from "./limits.ts";
import { decoderMemory } from "./linear-memory.ts";

interface Decoder {
  /** RGBA, not premultiplied; null if the file is bad. */
  decode(file: Uint8Array, bitDepth: 8): { width: number; height: number; data: Uint8ClampedArray<ArrayBuffer> } | null;
}

// Measured (the smallest linear memory that decodes 1, 2 and 4 million pixels): 8 MB, and 23 bytes a pixel for 8-bit
// samples in 4:4:4 (21 in 4:2:0) or 32 for deeper ones, of which the RGBA are 4. The copy that the binding hands out
// takes 4 more of the heap. So 1920 x 1080 pass in 8 bits, and 1620 x 960 in more. Alpha takes some 16 more, and some files
// of one large tile 8: what then does not fit is refused by the memory itself.
const FIXED_BYTES = 8.5e6;
const BYTES_PER_PIXEL = { 1: 23, 2: 32 } as const;
const codec = new EmscriptenCodec<Decoder>("avif-decode", avifDecoder, decoderMemory);

/**
 * AVIF by libavif and dav1d. The decoder leaves the container's `irot` and `imir` to us: they become the header's
 * orientation (and an EXIF block does not count, as the standard demands). Of a sequence the primary image is taken;
 * alpha is discarded. A clean aperture does not count, as in Pillow; the decoder ignores those it holds for
 * good ones and refuses the others, so it is shown none.
 */
export const openAvif: OpenSource = (bytes) => {
  const header = readAvifBoxes(bytes);
  checkMemory("AVIF", header, FIXED_BYTES + bytes.length, BYTES_PER_PIXEL[header.sampleBytes], DECODER_MEMORY);
  return {
    header,
    async decode(target, loadCodec) {
      const picture = await codec.run(
        loadCodec,
        (decoder) => decoder.decode(withoutApertures(bytes, header), 8) ?? damaged("libavif cannot decode it"),
      );
      if (picture.width !== header.width || picture.height !== header.height)
        damaged("its size is not what its header says");
      const rgba = new Uint8Array(picture.data.buffer);
      const sink = target.open(picture.width, picture.height, 4);
      for (let y = 0; y < picture.height; y++) sink.push(rgba, y * picture.width * 4);
      // Megabytes that would wait for the garbage collector.
      picture.data.buffer.transfer(0);
    },
  };
};

/** The file with no property (index 0) in the place of each clean aperture. */
function withoutApertures(bytes: Uint8Array, { apertures }: AvifHeader): Uint8Array {
  if (apertures.length === 0) return bytes;
  const changed = bytes.slice();
  for (const at of apertures) changed[at] = 0;
  return changed;
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The AVIF image is damaged: ${why}.`);
}
