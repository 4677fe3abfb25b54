/** The contract of `POST /backfill`, for the Worker and for those who ask it. */
import { z } from "zod";

/** R2 lists up to 1000 keys a call; a Worker may make 1000 calls a request, and needs one per `MESSAGES_PER_CALL`. */
export const MAX_PAGE = 1000;

export const backfillQuery = z.strictObject({
  prefix: z.string().max(1024).default("").meta({ description: "Only keys that start so, below ORIGINALS_PREFIX." }),
  cursor: z
    .string()
    .regex(/^[\w+/=.-]{1,4096}$/, "Expected the cursor of the page before")
    .optional()
    .meta({ description: "Of the page before; the first page if absent." }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE)
    .default(MAX_PAGE)
    .meta({ description: `Most keys of the page, 1 to ${MAX_PAGE}.` }),
});

export const backfillPage = z.object({
  enqueued: z.number().int().meta({ description: "Keys that went onto the queue." }),
  cursor: z.string().nullable().meta({ description: "For the next page; null if this was the last." }),
});

export type BackfillPage = z.infer<typeof backfillPage>;
