import { z } from "zod";

/** A whole number from `minimum` to `maximum`, neither negative, written as a text of at most `digits`: of a URL, flag or variable. */
export const wholeNumber = (minimum: number, maximum: number, digits = 15) =>
  z
    .string()
    .regex(new RegExp(`^\\d{1,${digits}}$`), `Expected a whole number from ${minimum} to ${maximum}`)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum));
