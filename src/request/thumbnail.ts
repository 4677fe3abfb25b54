/** From the raw request to what is asked for: `/thumbnail/<options>/<source>` and `/thumbnail/<options>`. */
import { parseAccept } from "hono/utils/accept";
import { Problem } from "../errors.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import { type Presets, parseOptions, type ThumbnailOptions, thumbnailOptions } from "./options.ts";
import { parseSource, type Source } from "./source.ts";

export interface ThumbnailRequest {
  readonly spec: ThumbnailSpec;
  readonly source: Source;
  /** Whether the answer depends on the `Accept` header. */
  readonly negotiated: boolean;
}

/** What of a request says which thumbnail is meant. */
export interface RequestLine {
  /** Path and query as received (percent-encoding, doubled slashes and the source's query included), without signature. */
  readonly target: string;
  /** The `Accept` header. */
  readonly accept: string | null;
}

/**
 * Parses a GET.
 *
 * @throws Problem `invalid-options`, `invalid-source`, `not-found` if the route is spelled in another way.
 */
export function parseThumbnailGet({ target, accept }: RequestLine, presets: Presets): ThumbnailRequest {
  const { options, rest } = splitTarget(target, "/thumbnail/");
  return { ...parseSpec(options, accept, presets), source: parseSource(rest) };
}

/** Parses a POST, whose body is the image. @throws Problem `invalid-options`, `not-found`. */
export function parseThumbnailPost(
  { target, accept }: RequestLine,
  presets: Presets,
): Omit<ThumbnailRequest, "source"> {
  return parseSpec(splitTarget(target, "/thumbnail/").options, accept, presets);
}

/** Cuts what follows `route` into the options segment and all the rest. */
export function splitTarget(target: string, route: string): { options: string; rest: string } {
  // Routers decode before they match, but only the raw text is what was signed.
  if (!target.startsWith(route)) throw new Problem("not-found", `Expected a path that starts with ${route}.`);
  const tail = target.slice(route.length);
  const slash = tail.indexOf("/");
  return slash < 0 ? { options: tail, rest: "" } : { options: tail.slice(0, slash), rest: tail.slice(slash + 1) };
}

function parseSpec(segment: string, accept: string | null, presets: Presets): Omit<ThumbnailRequest, "source"> {
  const options = parseOptions(segment, thumbnailOptions, presets);
  if (options.format !== "auto") return { spec: { ...options, format: options.format }, negotiated: false };
  return { spec: negotiate(options, accept), negotiated: true };
}

/** WebP for those who name it and like it no less than PNG, which all others get. A quality has no meaning for that lossless one. */
function negotiate(options: ThumbnailOptions, accept: string | null): ThumbnailSpec {
  const weights = new Map(parseAccept(accept ?? "").map(({ type, q }) => [type.toLowerCase(), q]));
  const webp = weights.get("image/webp") ?? 0;
  const png = weights.get("image/png") ?? weights.get("image/*") ?? weights.get("*/*") ?? 0;
  return webp > 0 && webp >= png ? { ...options, format: "webp" } : { ...options, format: "png", quality: undefined };
}
