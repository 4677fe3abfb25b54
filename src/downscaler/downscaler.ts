/** E, the downscaler of ThumbNet (arXiv 1904.05034): a photo's square in, one small thumbnail image out. */
import type { Geometry, RgbImage } from "../imaging/image.ts";
import type { ModelCard } from "./card.ts";
import { downscalerShapes } from "./shapes.ts";

/**
 * Runs a model of one uint8 NHWC input and one uint8 NHWC output.
 *
 * @param input batch of images, values 0..255.
 * @param shape of `input`: [N, height, width, 3].
 */
export type RunModel = (input: Uint8Array, shape: readonly number[]) => Promise<Uint8Array>;

export interface Downscaler {
  readonly card: ModelCard;
  /** How a photo becomes what `downscale` reads. */
  readonly preprocessing: Geometry;
  /** Side of the thumbnails in pixels. */
  readonly size: number;
  /** uint8 RGB [size_in, size_in] -> uint8 RGB [size, size]. */
  downscale(image: RgbImage): Promise<RgbImage>;
}

/**
 * Binds a card to its model. The model is loaded at the first use and kept; a failed load is tried again at the next.
 *
 * @throws Error if the card is not a downscaler's.
 */
export function createDownscaler(card: ModelCard, load: () => Promise<RunModel>): Downscaler {
  const { preprocessing, size } = downscalerShapes(card);
  const side = preprocessing.size;
  let model: Promise<RunModel> | undefined;

  return {
    card,
    preprocessing,
    size,
    async downscale(image) {
      if (image.width !== side || image.height !== side) {
        throw new Error(`${card.name} reads ${side}x${side} images, but got ${image.width}x${image.height}.`);
      }
      model ??= load();
      const run = await model.catch((error: unknown) => {
        model = undefined;
        throw error;
      });
      const data = await run(image.data, [1, side, side, 3]);
      return { width: size, height: size, data };
    },
  };
}
