/** Forms that variables of the environment share. They arrive as texts. */
import { z } from "zod";

/** Words between commas or white space. */
export const list = z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean));

export const integer = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);
