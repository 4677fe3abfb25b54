/** From the raw request to what is asked for: `/thumbnail/<options>/<source>` and `/thumbnail/<options>`. */
import type { ThumbnailSpec } from "../pipeline.ts";
import { type Presets, parseOptions, type ThumbnailOptions, thumbnailOptions } from "./options.ts";
import { parseSource, type Source } from "./source.ts";

export interface ThumbnailRequest {
  readonly spec: ThumbnailSpec;
  readonly source: Source;
  /** Whether the answer depends on the `Accept` header. */
  readonly negotiated: boolean;
}

/**
 * Parses a GET. The path is read as it was received (percent-encoding, doubled slashes and the source's query included).
 *
 * @throws Problem `invalid-options`, `invalid-source`.
 */
export function parseThumbnailGet(request: Request, presets: Presets): ThumbnailRequest {
  const { options, rest } = splitPath(request.url, "/thumbnail/");
  return { ...parseSpec(options, request, presets), source: parseSource(rest) };
}

/** Parses a POST, whose body is the image. @throws Problem `invalid-options`. */
export function parseThumbnailPost(request: Request, presets: Presets): Omit<ThumbnailRequest, "source"> {
  return parseSpec(splitPath(request.url, "/thumbnail/").options, request, presets);
}

/** Cuts the raw path and query after `route` into the options segment and all that follows it. */
export function splitPath(url: string, route: string): { options: string; rest: string } {
  const { pathname, search } = new URL(url);
  const tail = pathname.slice(pathname.indexOf(route) + route.length) + search;
  const slash = tail.indexOf("/");
  return slash < 0 ? { options: tail, rest: "" } : { options: tail.slice(0, slash), rest: tail.slice(slash + 1) };
}

function parseSpec(segment: string, request: Request, presets: Presets): Omit<ThumbnailRequest, "source"> {
  const options = parseOptions(segment, thumbnailOptions, presets);
  if (options.format !== "auto") return { spec: { ...options, format: options.format }, negotiated: false };
  return { spec: negotiate(options, request.headers.get("accept")), negotiated: true };
}

/** WebP for those who say that they take it, PNG for all others. A quality has no meaning for the lossless PNG. */
function negotiate(options: ThumbnailOptions, accept: string | null): ThumbnailSpec {
  const webp = /\bimage\/webp\b(?!\s*;\s*q=0(?:\.0+)?\s*(?:,|$))/i.test(accept ?? "");
  return webp ? { ...options, format: "webp" } : { ...options, format: "png", quality: undefined };
}
