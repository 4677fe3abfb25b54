/** An original's bytes, wherever it comes from. */
import { Problem } from "../errors.ts";
import type { Lease } from "../overload/budget.ts";
import type { Source } from "../request/source.ts";
import type { HostCheck } from "./dns.ts";
import { type Fetch, fetchHttp, type Original, type Validators } from "./http.ts";
import type { SourcePolicy } from "./policy.ts";
import { type Originals, readR2 } from "./r2.ts";

/** What reading needs from the outside. */
export interface SourceContext {
  readonly policy: SourcePolicy;
  readonly fetch: Fetch;
  readonly checkHost?: HostCheck | undefined;
  /** The owner's bucket; without one there are no `r2:` sources. */
  readonly originals?: Originals | undefined;
  /** Prefix of the originals' keys in the bucket; "" is the whole bucket. */
  readonly originalsPrefix?: string;
  /** For the bytes, if many photos are read at the same time. */
  readonly lease?: Lease | undefined;
}

/**
 * Reads an original's bytes.
 *
 * @param validators of a version already at hand: the answer may then be `not-modified`.
 * @throws Problem as `fetchHttp` and `readR2` do.
 */
export async function readSource(
  source: Source,
  { policy, fetch, checkHost, originals, originalsPrefix = "", lease }: SourceContext,
  validators: Validators = {},
): Promise<Original> {
  if (source.kind === "http") return fetchHttp(source.url, policy, { fetch, checkHost, validators, lease });
  if (!originals) throw new Problem("source-not-allowed", "This service has no bucket of originals.");
  return readR2(source.key, { originals, prefix: originalsPrefix, policy, validators, lease });
}
