/** An original's bytes, wherever it comes from. */
import { Problem } from "../errors.ts";
import type { Lease } from "../overload/budget.ts";
import type { Source } from "../request/source.ts";
import type { HostCheck } from "./dns.ts";
import { type Fetch, fetchHttp, type Original, type Validators } from "./http.ts";
import { checkUrl, type SourcePolicy } from "./policy.ts";
import { type Originals, readR2, type VersionedOriginals, versionOf } from "./r2.ts";

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
 * Whether a source may be asked for, as far as its name tells. A cache asks too: it may hold what another service was allowed.
 *
 * @throws Problem `source-not-allowed`.
 */
export function checkSource(source: Source, { policy, originals }: SourceContext): void {
  if (source.kind === "http") checkUrl(new URL(source.url), policy);
  else if (!originals) throw withoutOriginals();
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
  if (!originals) throw withoutOriginals();
  return readR2(source.key, { originals, prefix: originalsPrefix, policy, validators, lease });
}

/**
 * Whether an original is still the version that the validators name: for those in the bucket, whose thumbnails the queue removes
 * when they change. Of others nobody hears.
 */
export function versionCheck(
  source: Source,
  originals: VersionedOriginals,
  originalsPrefix: string,
): ((validators: Validators) => Promise<boolean>) | undefined {
  if (source.kind !== "r2") return undefined;
  return async ({ etag }) => (await versionOf(source.key, { originals, originalsPrefix })) === etag;
}

const withoutOriginals = () => new Problem("source-not-allowed", "This service has no bucket of originals.");
