import { z } from "zod";

/** A whole number from `minimum` to `maximum`, neither negative, written as a text of digits: of a URL, flag or variable. */
export const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `Expected a whole number from ${minimum} to ${maximum}`)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum));
