/** The service that the page belongs to, asked with the visitor's key. */
import { createClient, type SigningKey, signPath, type ThumbnailOptions } from "../client/index.ts";
import { optionsPath } from "../client/path.ts";
import type { Photo } from "./photo.ts";
import type { Timing } from "./show.ts";

/** Sizes of thumbnail that the page shows, in pixels. */
export const SIZES = [56, 112] as const;
export const service = new URL(".", location.href).href.replace(/\/$/, "");

export type Format = Exclude<ThumbnailOptions["format"], "auto" | undefined>;

let key: SigningKey | undefined;

/** Signs from now on; without a key not. */
export function signWith(chosen: SigningKey | undefined): void {
  key = chosen;
}

/** Of a file, where it is posted to. */
export async function thumbnailUrl(photo: Photo, size: (typeof SIZES)[number], format: Format): Promise<string> {
  if (typeof photo === "string") return client().thumbnailUrl(photo, { size, format });
  const path = optionsPath("thumbnail", { size, format });
  return `${service}${key ? await signPath(path, key) : path}`;
}

function client(fetcher = (request: Request) => fetch(request)) {
  return createClient(service, { ...(key && { key }), fetch: fetcher });
}

/** A client that notes how long its next request takes. */
export function timed(request: string, timings: Timing[]) {
  return client(async (asked) => {
    const start = performance.now();
    const response = await fetch(asked);
    const milliseconds = performance.now() - start;
    timings.push({ request, milliseconds, serverTiming: response.headers.get("server-timing") });
    return response;
  });
}

/** Notes how long something takes in this page. */
export async function timedHere<T>(request: string, timings: Timing[], make: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const made = await make();
  timings.push({ request, milliseconds: performance.now() - start, serverTiming: "in this browser" });
  return made;
}
