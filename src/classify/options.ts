/** The options of `/classify`. A new option is one new row. */
import { z } from "zod";
import { HEADS } from "../downscaler/card.ts";
import { SIZES } from "../request/options.ts";
import { wholeNumber } from "../whole-number.ts";

/** A model has few classes that matter to a caller; the whole distribution of a large one is not an answer. */
const MOST_PREDICTIONS = 100;

export const classifyOptions = z
  .strictObject({
    size: z.enum(SIZES).default("56").transform(Number).meta({
      description: "Side of the thumbnail that is classified, in pixels; with adaptive, of the first.",
    }),
    head: z
      .enum(["auto", ...HEADS])
      .default("auto")
      .meta({
        description:
          "What classifies it. student: the smallest (ten classes from 56 pixels); student-low-stride: with more resolution; " +
          "student-thousand: that for a thousand classes; student-full: with all of the teacher's resolution; restored: the " +
          "unmodified teacher behind a restorer; auto: of those that know most classes, the one of most multiply-adds.",
      }),
    fit: z.enum(["fill", "cover"]).optional().meta({
      description: "Squash the photo to a square, or crop to a centred square; the model's own way if absent.",
    }),
    top: wholeNumber(1, MOST_PREDICTIONS, 3)
      .default(5)
      .meta({ description: `How many predictions, 1 to ${MOST_PREDICTIONS}.` }),
    adaptive: z
      .union([
        z.literal("auto"),
        z
          .string()
          .regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, "Expected a confidence from 0 to 1, or auto")
          .transform(Number),
      ])
      .optional()
      .meta({
        description:
          "Where the answer is less sure than this (0 to 1; auto: the calibrated threshold), ask with a larger thumbnail.",
      }),
    teacher: z.enum(["yes", "no"]).default("no").meta({
      description: "Whether adaptive may in the end send the whole square of 224 pixels to the teacher.",
    }),
  })
  .refine(({ adaptive, teacher }) => teacher === "no" || adaptive !== undefined, {
    path: ["teacher"],
    message: "has a meaning only with adaptive",
  });

export type ClassifyOptions = z.infer<typeof classifyOptions>;
