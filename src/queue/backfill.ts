/** A page of the bucket of originals onto the queue, for owners. */
import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import type { z } from "zod";
import { Problem } from "../errors.ts";
import type { ChangeMessage } from "./message.ts";
import { type BackfillPage, backfillQuery } from "./page.ts";

/** What Queues takes at once. Keys are at most 1 KB, so that the 256 KB of a call are never reached. */
const MESSAGES_PER_CALL = 100;

export interface BackfillRoom {
  readonly originals: Pick<R2Bucket, "list">;
  readonly originalsPrefix: string;
  /** Absent where wrangler.toml has no queue. */
  readonly queue: Pick<Queue<ChangeMessage>, "sendBatch"> | undefined;
}

/**
 * Enqueues one page. A page that failed half-way can be asked for again: keys that come twice do no work twice.
 *
 * @throws Problem `invalid-request`, `queue-missing`, `queue-failed`, `source-failed`.
 */
export async function backfill(
  query: Readonly<Record<string, string>>,
  { originals, originalsPrefix, queue }: BackfillRoom,
): Promise<BackfillPage> {
  const { prefix, cursor, limit } = parseQuery(query);
  if (!queue) throw new Problem("queue-missing", "Expected a queue bound as CHANGES, but the deployment has none.");
  const page = await list(originals, { prefix: `${originalsPrefix}${prefix}`, limit, ...(cursor ? { cursor } : {}) });
  const messages = page.objects.map(({ key }) => ({
    body: { action: "Backfill", object: { key } } satisfies ChangeMessage,
  }));
  try {
    for (let i = 0; i < messages.length; i += MESSAGES_PER_CALL) {
      await queue.sendBatch(messages.slice(i, i + MESSAGES_PER_CALL));
    }
  } catch (error) {
    throw new Problem("queue-failed", "The queue did not take the page. Ask for it again.", error);
  }
  return { enqueued: messages.length, cursor: page.truncated ? page.cursor : null };
}

function parseQuery(query: Readonly<Record<string, string>>): z.infer<typeof backfillQuery> {
  const result = backfillQuery.safeParse(query);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => [...path, message].join(": "));
  throw new Problem("invalid-request", `The query: ${faults.join("; ")}.`);
}

async function list(originals: Pick<R2Bucket, "list">, options: Parameters<R2Bucket["list"]>[0]) {
  try {
    return await originals.list(options);
  } catch (error) {
    throw new Problem("source-failed", "The bucket of originals could not be listed.", error);
  }
}
