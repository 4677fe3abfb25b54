/** What the queue carries: R2's event notifications, and the same form for keys of a backfill. */
import { z } from "zod";

/** R2's names of what happened to an object; `Backfill` is ours, for one that has been there all along. */
export const ACTIONS = [
  "PutObject",
  "CopyObject",
  "CompleteMultipartUpload",
  "DeleteObject",
  "LifecycleDeletion",
  "Backfill",
] as const;

/**
 * One object of the bucket of originals that may have changed. Notifications have more fields (account, bucket, time, size),
 * which nothing here depends on: messages come late, twice and in any order, so that only the bucket itself is believed.
 */
export const changeMessage = z.object({
  action: z.enum(ACTIONS),
  object: z.object({
    /** In the bucket, with the prefix of the originals. */
    key: z.string().min(1).max(1024),
  }),
});

export type ChangeMessage = z.infer<typeof changeMessage>;
