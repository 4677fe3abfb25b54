/** gzip and deflate of bodies, both ways, on zlib's own threads. */
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { ProtocolError } from "../oip/error.ts";
import { gather } from "./request-body.ts";

/** `deflate` is the zlib format (RFC 9110, 8.4.1.2). */
const CODINGS = {
  gzip: { pack: promisify(zlib.gzip), unpack: zlib.createGunzip },
  deflate: { pack: promisify(zlib.deflate), unpack: zlib.createInflate },
} as const;

type Coding = keyof typeof CODINGS;
const NAMES: readonly Coding[] = ["gzip", "deflate"];
const isCoding = (name: string): name is Coding => Object.hasOwn(CODINGS, name);

/** Below this a compressed answer saves less than it costs: ten logits are 40 bytes. */
const MIN_BYTES = 1024;

/**
 * @param coding value of Content-Encoding.
 * @param maxBytes bound of the result, so that a small body cannot unpack to gigabytes.
 * @param hold takes bytes from the budget as they come, so that many small bodies at once cannot either.
 * @throws ProtocolError 415 for other codings, 413 beyond the bound, 400 for broken data, and what `hold` throws.
 */
export async function unpack(
  body: Buffer,
  coding: string | undefined,
  maxBytes: number,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  const name = coding?.trim().toLowerCase() ?? "identity";
  if (name === "identity" || name === "") return body;
  if (!isCoding(name)) throw new ProtocolError(415, `Expected Content-Encoding gzip or deflate, but got "${name}".`);
  const unpacked = gather("unpacked request", maxBytes, hold);
  try {
    for await (const chunk of CODINGS[name].unpack().end(body)) unpacked.add(chunk);
  } catch (cause) {
    throw cause instanceof ProtocolError ? cause : new ProtocolError(400, `The body is not valid ${name} data.`, cause);
  }
  return unpacked.whole();
}

/** Compresses an answer if the client prefers that and it is worth it. */
export async function pack(
  body: Uint8Array,
  accept: string | undefined,
): Promise<{ body: Uint8Array; headers: Record<string, string> }> {
  const coding = body.byteLength < MIN_BYTES ? undefined : preferredCoding(accept);
  if (coding === undefined) return { body, headers: {} };
  return {
    body: await CODINGS[coding].pack(body, { level: 1 }),
    headers: { "Content-Encoding": coding, Vary: "Accept-Encoding" },
  };
}

/** The coding of the highest weight in Accept-Encoding; gzip before deflate at equal weights. */
export function preferredCoding(accept: string | undefined): Coding | undefined {
  const weights = new Map(
    (accept ?? "").split(",").map((entry): [string, number] => {
      const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith("q="));
      return [name, q === undefined ? 1 : Number(q.slice(2)) || 0];
    }),
  );
  const acceptable = NAMES.filter((name) => (weights.get(name) ?? 0) > 0);
  return acceptable.sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0))[0];
}
