/** How much work one client may cause, by Cloudflare's rate limiting binding. Answers from a cache are not counted. */
import { Problem } from "../errors.ts";

/** The part of the binding that is used. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/**
 * Counts a piece of work.
 *
 * @param limiter the binding; without it nothing is limited.
 * @param client the address of the client as Cloudflare gives it (`CF-Connecting-IP`). Loopback is development.
 * @throws Problem `rate-limited`.
 */
export async function countWork(limiter: RateLimiter | undefined, client: string | undefined): Promise<void> {
  if (!limiter || !client || /^(127\.|::1$|::ffff:127\.)/.test(client)) return;
  if (await isOver(limiter, networkOf(client)))
    throw new Problem("rate-limited", "Too many images were asked for from this address. Try again in a minute.");
}

/** A limiter that fails limits nothing: it protects the service and must not be what takes it down. */
async function isOver(limiter: RateLimiter, key: string): Promise<boolean> {
  try {
    return !(await limiter.limit({ key })).success;
  } catch (error) {
    console.warn({ event: "rate-limiter-failed", cause: String(error) });
    return false;
  }
}

/** An IPv6 client has a whole /64 to choose addresses from. */
function networkOf(client: string): string {
  const canonical = client.includes(":") ? URL.parse(`http://[${client}]/`)?.hostname.slice(1, -1) : undefined;
  if (canonical === undefined) return client;
  const [head = "", tail = ""] = canonical.split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail.split(":").filter(Boolean);
  const groups = canonical.includes("::")
    ? [...before, ...Array(8 - before.length - after.length).fill("0"), ...after]
    : before;
  return `${groups.slice(0, 4).join(":")}::/64`;
}
