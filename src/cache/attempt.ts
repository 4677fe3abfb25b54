/** A cache that fails or dawdles is a cache without the entry: it costs work, never an answer. */

import { within } from "../overload/within.ts";

/** Generous: R2 and the Cache API answer in tens of milliseconds, and computing takes hundreds. */
const READ_MS = 2000;

/** What `read` gives within its time, else null. The cause goes to the log. */
export async function attemptRead<T>(tier: string, read: () => Promise<T | null>): Promise<T | null> {
  try {
    return await within(READ_MS, read(), () => new Error(`No answer within ${READ_MS} ms.`));
  } catch (error) {
    console.warn({ event: "cache-read-failed", tier, cause: String(error) });
    return null;
  }
}

/** A promise for `waitUntil` that always resolves. */
export async function attemptWrite(tier: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    console.warn({ event: "cache-write-failed", tier, cause: String(error) });
  }
}
