/** Originals from the owner's R2 bucket, below one prefix. */
import { Problem } from "../errors.ts";
import type { Lease } from "../overload/budget.ts";
import { within } from "../overload/within.ts";
import { readBody } from "./body.ts";
import type { Original, Validators } from "./http.ts";
import type { SourcePolicy } from "./policy.ts";

/** The part of an R2 bucket that is used. An answer without `body` means that the condition did not hold. */
export interface Originals {
  get(key: string, options?: { onlyIf?: { etagDoesNotMatch?: string } }): Promise<OriginalObject | null>;
}
interface OriginalObject {
  readonly size: number;
  readonly httpEtag: string;
  readonly uploaded: Date;
  readonly body?: ReadableStream<Uint8Array>;
}

/** The part that says which version of an original there is. */
export interface VersionedOriginals extends Originals {
  head(key: string): Promise<{ readonly httpEtag: string } | null>;
}

/** The ETag of the original as it is now; absent if there is none. */
export async function versionOf(
  key: string,
  { originals, originalsPrefix }: { readonly originals: VersionedOriginals; readonly originalsPrefix: string },
): Promise<string | undefined> {
  return (await originals.head(`${originalsPrefix}${key}`))?.httpEtag;
}

/**
 * Reads an original.
 *
 * R2 keys are flat text in which `..` means nothing, but a key that looks like a way out is refused all the same: buckets
 * get mirrored to file systems.
 *
 * @throws Problem `source-not-allowed` (bad key), `source-not-found`, `body-too-large`, `source-failed` and `source-timeout`
 *   (R2 failing or slow).
 */
export async function readR2(
  key: string,
  { originals, prefix, policy, lease, validators = {} }: ReadR2Options,
): Promise<Original> {
  checkKey(key);
  try {
    const etag = validators.etag?.replace(/^W\//, "").replaceAll('"', "");
    const getting = originals.get(`${prefix}${key}`, etag ? { onlyIf: { etagDoesNotMatch: etag } } : {});
    const object = await within(policy.headerTimeoutMs, getting, silent);
    if (!object) throw new Problem("source-not-found", "The original is not in the bucket.");
    if (!object.body) return { status: "not-modified" };
    const { maxBytes, bodyTimeoutMs: deadline } = policy;
    if (object.size > maxBytes) {
      object.body.cancel().catch(() => {}); // not awaited: a bucket that stalls may never acknowledge it
      throw new Problem("body-too-large", `Expected a file of at most ${maxBytes} bytes, but got ${object.size}.`);
    }
    const bytes = await readBody(object.body, { maxBytes, deadline, lease });
    return { status: "read", bytes, etag: object.httpEtag, lastModified: object.uploaded.toUTCString() };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("source-failed", "The bucket of originals could not be read.", error);
  }
}

export interface ReadR2Options {
  readonly originals: Originals;
  /** Put before every key, e.g. `photos/`. */
  readonly prefix: string;
  readonly policy: Pick<SourcePolicy, "maxBytes" | "headerTimeoutMs" | "bodyTimeoutMs">;
  readonly validators?: Validators;
  readonly lease?: Lease | undefined;
}

const silent = () => new Problem("source-timeout", "The bucket of originals did not answer in time.");

function checkKey(key: string): void {
  const segments = key.split(/[/\\]/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f\ufffd]/.test(key) || segments.some((s) => s === "" || s === "." || s === "..")) {
    throw new Problem("source-not-allowed", "Expected an R2 key without empty or dot segments and control characters.");
  }
}
