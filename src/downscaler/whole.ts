/** No downscaler at all: the photo's square as it is, for a model that reads whole photos. */
import type { ModelCard } from "./card.ts";
import type { Downscaler } from "./downscaler.ts";

/** @throws Error if the card does not say how a photo becomes its input. */
export function wholePhoto(card: ModelCard): Downscaler {
  const { preprocessing } = card;
  if (preprocessing === null) throw new Error(`The card of ${card.name} does not say how it reads photos.`);
  return { card, preprocessing, size: preprocessing.size, downscale: async (image) => image };
}
