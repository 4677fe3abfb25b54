import type { Orientation, RgbImage } from "./image.ts";

/** Where the pixel of an upright picture lies in the stored one: `[from right, from bottom, x and y swapped]`. */
const TURNS: Record<Orientation, readonly [boolean, boolean, boolean]> = {
  1: [false, false, false],
  2: [true, false, false],
  3: [true, true, false],
  4: [false, true, false],
  5: [false, false, true],
  6: [false, true, true],
  7: [true, true, true],
  8: [true, false, true],
};

/** The upright picture (EXIF 2.32, tag 274; what Pillow's `ImageOps.exif_transpose` gives). */
export function orient(image: RgbImage, orientation: Orientation): RgbImage {
  if (orientation === 1) return image;
  const [fromRight, fromBottom, swapped] = TURNS[orientation];
  const { width, height, data } = image;
  const upright = { width: swapped ? height : width, height: swapped ? width : height };
  const out = new Uint8Array(data.length);
  let to = 0;
  for (let y = 0; y < upright.height; y++) {
    for (let x = 0; x < upright.width; x++) {
      const column = swapped ? y : x;
      const line = swapped ? x : y;
      const from = ((fromBottom ? height - 1 - line : line) * width + (fromRight ? width - 1 - column : column)) * 3;
      for (let channel = 0; channel < 3; channel++) out[to++] = data[from + channel] ?? 0;
    }
  }
  return { ...upright, data: out };
}
