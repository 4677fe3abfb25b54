import { readFileSync } from "node:fs";
import sharp, { type Sharp } from "sharp";

const PHOTOS = ["zebra", "ambulance", "deck-chairs"].map((name) =>
  readFileSync(new URL(`../fixtures/photos/${name}.jpg`, import.meta.url)),
);
const TILE = 448;

/**
 * A picture of any size with a real photo's detail: a mosaic of the fixture photos at twice their size. (One photo
 * blown up to megapixels would have nothing but smooth blocks, which compress and decode like nothing in the wild.)
 */
export async function mosaic(width: number, height: number): Promise<{ data: Buffer; width: number; height: number }> {
  const tiles = await Promise.all(
    PHOTOS.map((photo) => sharp(photo).resize(TILE, TILE, { kernel: "cubic" }).removeAlpha().raw().toBuffer()),
  );
  const data = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += TILE) {
      const tile = tiles[(Math.floor(x / TILE) * 2 + Math.floor(y / TILE)) % tiles.length];
      const from = (y % TILE) * TILE * 3;
      tile?.copy(data, (y * width + x) * 3, from, from + Math.min(TILE, width - x) * 3);
    }
  }
  return { data, width, height };
}

/** The same picture for sharp to encode. */
export async function largePicture(width: number, height: number): Promise<Sharp> {
  const { data } = await mosaic(width, height);
  return sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
}
