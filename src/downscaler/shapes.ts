/** What a downscaler's card says about its images. Apart from the card's schema, so that a web page need not load that. */
import type { Geometry } from "../imaging/image.ts";
import type { ModelCard } from "./card.ts";

/**
 * @returns how a photo becomes the input, and `size`, the thumbnail's side in pixels.
 * @throws Error if it is not a downscaler's card.
 */
export function downscalerShapes(card: ModelCard): { preprocessing: Geometry; size: number } {
  const [, height, width, channels] = card.output.shape;
  const square = height !== undefined && height === width && channels === 3;
  if (card.role !== "downscaler" || !card.preprocessing || !square) {
    throw new Error(`The model ${card.name} is not a downscaler of photos to square thumbnails.`);
  }
  return { preprocessing: card.preprocessing, size: height };
}
