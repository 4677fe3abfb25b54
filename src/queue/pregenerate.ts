/** Which thumbnails are made before anyone asks for them. */
import type { ThumbnailSpec } from "../pipeline.ts";
import { type Presets, parseOptions, thumbnailOptions } from "../request/options.ts";

/**
 * Reads the variable `PREGENERATE`: options as in URLs (a preset's name, `name=value` joined by commas, `_`), between white
 * space.
 *
 * @throws Error that says what is wrong with which of them.
 */
export function parsePregenerate(text: string, presets: Presets): ThumbnailSpec[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((segment) => {
      const options = parseOptions(segment, thumbnailOptions, presets);
      if (options.format === "auto") {
        throw new Error(
          `"${segment}" has format=auto, which depends on who asks; name the formats, e.g. png and webp.`,
        );
      }
      return { ...options, format: options.format };
    });
}
