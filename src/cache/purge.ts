/** Removes what is kept of sources, for owners and for sources that are gone. */
import { attemptWrite } from "./attempt.ts";
import { deleteBucket, KEYS_PER_CALL, listBucket } from "./bucket.ts";
import type { CacheTiers } from "./cached.ts";
import { deleteEdge } from "./edge.ts";
import { MAX_SOURCE_LENGTH, placeOf, THUMBNAILS_PREFIX } from "./key.ts";

/** Ten lists and ten deletions stay within a request's time. */
const MAX_CALLS = 10;

/** Where thumbnails are removed from. */
type Places = Pick<CacheTiers, "edge" | "bucket" | "address">;

export interface Purged {
  readonly purged: number;
  /** Whether there is more, to be removed by another call. */
  readonly more: boolean;
}

/**
 * Deletes every thumbnail whose source, in canonical form, starts with `sourcePrefix`, in R2 and in this data centre's edge
 * tier. Copies at the edge elsewhere and at clients live until their `max-age` ends.
 *
 * @throws whatever R2 throws: an owner must know that something was left.
 */
export async function purge(sourcePrefix: string, tiers: Places): Promise<Purged> {
  let purged = 0;
  for (let call = 0; call < MAX_CALLS; call++) {
    const { objects, truncated } = await tiers.bucket.list({
      prefix: `${THUMBNAILS_PREFIX}${sourcePrefix.slice(0, MAX_SOURCE_LENGTH)}`,
      limit: KEYS_PER_CALL,
    });
    const keys = objects.map(({ key }) => key);
    await remove(keys, tiers);
    purged += keys.length;
    if (!truncated) return { purged, more: false };
  }
  return { purged, more: true };
}

/** Removes a thumbnail and all others of its source, which is gone. Never rejects. */
export function withdraw(key: string, tiers: CacheTiers): Promise<void> {
  return attemptWrite("r2", async () => {
    const { prefix, isShared } = placeOf(key);
    await remove(isShared ? [key] : [...(await listBucket(tiers.bucket, prefix)).keys()], tiers);
  });
}

/** Removes a thumbnail unless `isCurrent`. Never rejects. */
export function withdrawUnless(isCurrent: () => Promise<boolean>, key: string, tiers: CacheTiers): Promise<void> {
  return attemptWrite("r2", async () => {
    if (!(await isCurrent())) await remove([key], tiers);
  });
}

async function remove(keys: readonly string[], { edge, bucket, address }: Places): Promise<void> {
  await deleteBucket(bucket, keys);
  await Promise.all(keys.map((key) => deleteEdge(edge, address, key)));
}
