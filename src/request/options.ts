/**
 * The options segment of the URL contract: `name=value` joined by commas, preset names, or `_` for none.
 *
 * One schema gives the parser, the types, the canonical form and the API description. A new option is one new row.
 */
import { z } from "zod";
import { Problem } from "../errors.ts";
import { encoders, FORMATS } from "../imaging/encode.ts";
import { wholeNumber } from "../whole-number.ts";

/** The thumbnail sizes that downscalers exist for (side in pixels; 4 and 2 times smaller per side than 224). */
export const SIZES = ["56", "112"] as const;

/** Which formats have a quality at all. */
const LOSSY = FORMATS.filter((format) => encoders[format].lossy);

export const thumbnailOptions = z
  .strictObject({
    size: z.enum(SIZES).default("56").transform(Number).meta({ description: "Side of the thumbnail in pixels." }),
    format: z
      .enum([...FORMATS, "auto"])
      .default("png")
      .meta({ description: "Encoding; auto takes the Accept header's choice between webp and png." }),
    quality: wholeNumber(1, 100, 9)
      .optional()
      .meta({ description: `Quality of ${LOSSY.join(", ")}, 1 to 100; 75 if absent.` }),
    fit: z.enum(["fill", "cover"]).optional().meta({
      description: "Squash the photo to a square, or crop to a centred square; the model's own way if absent.",
    }),
  })
  .refine(({ quality, format }) => quality === undefined || format === "auto" || LOSSY.includes(format), {
    path: ["quality"],
    message: `has a meaning only with format=${[...LOSSY, "auto"].join(" or ")}`,
  });

export type ThumbnailOptions = z.infer<typeof thumbnailOptions>;

/** Named option texts, e.g. `{"archive": "size=112,format=png"}`. Options in the URL win over those of a preset. */
export type Presets = Readonly<Record<string, string>>;

/**
 * Parses an options segment by a schema whose keys are the option names.
 *
 * @param segment raw segment, possibly percent-encoded by a client that encodes every reserved character.
 * @throws Problem `invalid-options` that lists every fault with what is expected.
 */
export function parseOptions<T>(segment: string, schema: z.ZodType<T>, presets: Presets = {}): T {
  const result = schema.safeParse(readPairs(decode(segment), presets));
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) =>
    path.length ? `${path.join(".")}: ${message}` : message,
  );
  throw new Problem("invalid-options", `${faults.join("; ")}.`);
}

/** One text per meaning: names sorted, absent options left out. Part of the cache key. */
export function canonicalOptions(options: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(",");
}

function readPairs(text: string, presets: Presets): Record<string, string> {
  const fromPresets: Record<string, string> = {};
  const given = new Map<string, string>(); // not an object, to which `__proto__` would be no name like others
  for (const part of text === "_" ? [] : text.split(",")) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    if (equals >= 0) {
      if (given.has(name)) throw new Problem("invalid-options", `The option "${name}" is given twice.`);
      given.set(name, part.slice(equals + 1));
    } else if (Object.hasOwn(presets, name)) {
      Object.assign(fromPresets, readPairs(presets[name] ?? "_", {}));
    } else {
      const known = Object.keys(presets).join(", ") || "none is configured";
      throw new Problem(
        "invalid-options",
        `Expected "name=value", a preset (${known}) or "_" for no options, but got "${part.slice(0, 80)}".`,
      );
    }
  }
  return { ...fromPresets, ...Object.fromEntries(given) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem("invalid-options", "The percent-encoding of the options is broken.");
  }
}
