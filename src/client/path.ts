/** Builds the paths of the URL contract: `/<route>/<options>/<source>`. */
import type { Source } from "./types.ts";

/** Values of any options; absent ones are left out. */
type OptionValues = Readonly<Record<string, string | number | undefined>>;

/**
 * @param route "thumbnail" or "classify".
 * @throws TypeError if the source is neither an http(s) URL nor a key that can be sent.
 * @example requestPath("thumbnail", { size: 56 }, "https://example.com/a.jpg") // "/thumbnail/size=56/https://example.com/a.jpg"
 */
export function requestPath(route: string, options: object, source: Source): string {
  return `${optionsPath(route, options)}/${sourceSegment(source)}`;
}

/** The path of an upload, which has no source. */
export function optionsPath(route: string, options: object): string {
  return `/${route}/${optionsSegment(options)}`;
}

/** `preset,name=value,...` in the order of the names, or `_`. */
function optionsSegment(options: object): string {
  const { preset, ...others } = options as OptionValues;
  const pairs = Object.entries(others)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  return [...(preset === undefined ? [] : [String(preset)]), ...pairs].join(",") || "_";
}

/**
 * The source as it goes to the end of a path: legible where the path survives `fetch` and proxies unchanged, base64url
 * where it would not (dot segments, backslashes).
 *
 * @throws TypeError
 */
function sourceSegment(source: Source): string {
  if (typeof source === "object" && "r2" in source) return keySegment(source.r2);
  const text = String(source);
  if (text.startsWith("r2:") || text.startsWith("b64:")) return text;
  const url = parse(text);
  url.hash = "";
  return survives(url.href) ? url.href : `b64:${toBase64Url(url.href)}`;
}

function keySegment(key: string): string {
  if (key === "") throw new TypeError("Expected the key of an original in R2, but got an empty text.");
  if (/\p{Surrogate}/u.test(key))
    throw new TypeError("Expected the key of an original in R2, but got half a character.");
  const legible = `r2:${key.split("/").map(encodeURIComponent).join("/")}`;
  return survives(legible) ? legible : `r2:${encodeURIComponent(key)}`;
}

function parse(text: string): URL {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text);
  throw new TypeError(`Expected an http(s) URL or "r2:<key>" as the source, but got "${text.slice(0, 80)}".`);
}

function survives(segment: string): boolean {
  const { pathname, search } = new URL(`/thumbnail/_/${segment}`, "https://localhost");
  return `${pathname}${search}` === `/thumbnail/_/${segment}`;
}

function toBase64Url(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
