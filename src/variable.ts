/** Forms that variables of the environment share. They arrive as texts. */
import { z } from "zod";
import { wholeNumber } from "./whole-number.ts";

/** Words between commas or white space. */
export const list = z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean));

/** A whole number as a text, or as a number, which wrangler.toml may have. An empty text is a mistake and not 0. */
export const integer = (minimum: number, maximum: number) =>
  z.union([z.string(), z.number().transform(String)]).pipe(wholeNumber(minimum, maximum));
