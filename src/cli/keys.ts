/** What is signed, and keys from the environment under the service's own names; secrets do not belong into command lines. */
import type { SigningKey } from "../client/sign.ts";
import { parseConfig } from "../config.ts";
import type { KeyRing } from "../request/sign.ts";
import { UsageError } from "./command.ts";

export const KEYS_HELP = `The key comes from the environment: SIGNING_KEYS as the service has it ({"web-1": "<secret>"}), or SIGNING_KEY_ID and
SIGNING_SECRET.`;

/** Address of the service, with the path that it is mounted below; then the path that is signed. */
const TARGET = /^((?:https?:\/\/[^/]+)?(?:\/[^/]+)*?)(\/(?:thumbnail|classify)\/.*)$/is;

/** @throws UsageError if the text is no URL or path of the service. */
export function splitTarget(text: string): { readonly base: string; readonly target: string } {
  const [, base, target] = TARGET.exec(text) ?? [];
  if (base !== undefined && target !== undefined) return { base, target };
  throw new UsageError(`Expected a URL, or a path like /thumbnail/<options>/<source>, but got "${text}".`);
}

/** Empty if the environment has none. @throws UsageError if it has a broken one. */
export function keyRing(): KeyRing {
  const { SIGNING_KEYS, SIGNING_KEY_ID, SIGNING_SECRET } = process.env;
  if (SIGNING_KEY_ID && SIGNING_SECRET) return new Map([[SIGNING_KEY_ID, SIGNING_SECRET]]);
  if (!SIGNING_KEYS) return new Map();
  try {
    return parseConfig({ SIGNING_KEYS }).signing.keys;
  } catch {
    throw new UsageError('SIGNING_KEYS should be JSON like {"web-1": "<secret of 32 bytes or more>"}.');
  }
}

/** The key of that name, or else the first. @throws UsageError */
export function signingKey(id: string | undefined): SigningKey {
  const ring = keyRing();
  const [first] = ring.keys();
  const chosen = id ?? first;
  if (chosen === undefined) throw new UsageError(`There is no signing key. ${KEYS_HELP}`);
  const secret = ring.get(chosen);
  if (secret === undefined) {
    throw new UsageError(`There is no key "${chosen}" in SIGNING_KEYS; there is ${[...ring.keys()].join(", ")}.`);
  }
  return { id: chosen, secret };
}
