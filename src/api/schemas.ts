/** Schemas of what the service answers; those of what it reads are with their parsers. */
import { z } from "zod";
import type { Classification } from "../classify/classify.ts";
import { modelCard } from "../downscaler/card.ts";
import { PROBLEMS } from "../errors.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const classification = z.strictObject({
  predictions: z
    .array(z.strictObject({ label: z.string(), index: z.int().min(0), probability: z.number().min(0).max(1) }))
    .min(1)
    .meta({ description: "Best first." }),
  model: z.strictObject({ name: z.string(), version: z.string(), sha256 }),
  thumbnail: z
    .strictObject({ size: z.int(), format: z.literal("npy"), bytes: z.int(), sha256 })
    .meta({ description: "What was classified; `/thumbnail/size=...,format=npy/...` gives these very bytes." }),
  stages: z
    .exactOptional(z.array(z.strictObject({ model: z.string(), confidence: z.number().min(0).max(1) })))
    .meta({ description: "With `adaptive`: every model that was asked, the deciding one last." }),
}) satisfies z.ZodType<Classification>;

/** RFC 9457. */
export const problem = z.strictObject({
  type: z
    .string()
    .regex(new RegExp(`/problems/(${Object.keys(PROBLEMS).join("|")})$`))
    .meta({ description: "Address of the page that explains the type; its last segment is the type's stable name." }),
  title: z.enum(Object.values(PROBLEMS).map(({ title }) => title)),
  status: z.int().min(400).max(599),
  detail: z.string().meta({ description: "What was expected and what came." }),
});

/** A line of the answer to a batch. `index` counts the items of the request from 0. */
export const batchLine = z.union([
  classification.extend({ index: z.int().min(0), status: z.literal(200) }),
  problem.extend({ index: z.int().min(0) }),
]);

export const models = z.strictObject({ models: z.array(modelCard) });

export const health = z.strictObject({ status: z.literal("ok") });

export const purged = z.strictObject({
  purged: z.int().min(0),
  more: z.boolean().meta({ description: "Whether there is more, to be removed by another call." }),
});
