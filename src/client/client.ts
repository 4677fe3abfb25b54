/** The service as an object: thumbnails, classifications and batches over `fetch`. */
import { type BatchAnswer, type BatchItem, requestBatch } from "./batch.ts";
import { optionsPath, requestPath } from "./path.ts";
import { problemOf } from "./problem-error.ts";
import { type SigningKey, signPath } from "./sign.ts";
import type { Classification, ClassifyOptions, Source, Thumbnail, ThumbnailOptions, Upload } from "./types.ts";

export interface ClientOptions {
  /** Signs every URL. Only for places that may know the secret: never a public web page. */
  readonly key?: SigningKey;
  /** Seconds for which signed URLs are good; without it they have no end. */
  readonly expiresIn?: number;
  /** Another `fetch`: a service binding's, or one with credentials. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

export interface Call {
  readonly signal?: AbortSignal;
}

export interface ThumbnetClient {
  /** The URL of a thumbnail, for `<img>` or to hand on. @throws TypeError if the source is none. */
  thumbnailUrl(source: Source, options?: ThumbnailOptions): Promise<string>;
  /** @throws ProblemError, and what `fetch` throws if nothing answers. */
  thumbnail(photo: Source | Upload, options?: ThumbnailOptions, call?: Call): Promise<Thumbnail>;
  /** Of a photo, or of a ready thumbnail (PNG, WebP, AVIF or npy) of the size asked. @throws ProblemError, and what `fetch` throws. */
  classify(photo: Source | Upload, options?: ClassifyOptions, call?: Call): Promise<Classification>;
  /**
   * Many photos; answers come in the order in which they are ready, and say which of the sources they are for.
   * What goes wrong with one is that one's answer. @throws ProblemError if the service refuses the batch as a whole.
   */
  batch(sources: Iterable<Source>, options?: ClassifyOptions, call?: Call): AsyncGenerator<BatchAnswer, void>;
}

/**
 * @param service its address, e.g. `https://thumbnails.example.com`; a path is kept, for services mounted below one.
 * @example
 * const thumbnet = createClient("https://thumbnails.example.com");
 * const { predictions } = await thumbnet.classify("https://images.example.com/photo.jpg");
 */
export function createClient(service: string | URL, options: ClientOptions = {}): ThumbnetClient {
  const base = String(service).replace(/\/+$/, "");
  const send = options.fetch ?? ((request: Request) => fetch(request));

  async function signed(path: string): Promise<string> {
    if (!options.key) return path;
    const expires = options.expiresIn === undefined ? undefined : new Date(Date.now() + options.expiresIn * 1000);
    return signPath(path, options.key, expires);
  }

  async function ask(path: string, init: RequestInit): Promise<Response> {
    const response = await send(new Request(`${base}${path}`, init));
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async function askFor(route: string, photo: Source | Upload, asked: object, { signal }: Call = {}) {
    const init = signal ? { signal } : {};
    return isUpload(photo)
      ? ask(await signed(optionsPath(route, asked)), { ...init, method: "POST", body: photo })
      : ask(await signed(requestPath(route, asked, photo)), init);
  }

  return {
    thumbnailUrl: async (source, asked = {}) => `${base}${await signed(requestPath("thumbnail", asked, source))}`,
    async thumbnail(photo, asked = {}, call) {
      const response = await askFor("thumbnail", photo, asked, call);
      return {
        bytes: new Uint8Array(await response.arrayBuffer()),
        contentType: response.headers.get("content-type") ?? "",
        etag: response.headers.get("etag"),
      };
    },
    async classify(photo, asked = {}, call) {
      return (await askFor("classify", photo, asked, call)).json() as Promise<Classification>;
    },
    batch: (sources, asked = {}, { signal } = {}) =>
      requestBatch(
        [...sources],
        (source) => requestPath("classify", asked, source),
        async (path) => batchItem(await signed(path)),
        (body) =>
          ask("/batch", {
            method: "POST",
            body,
            headers: { "content-type": "application/json" },
            ...(signal && { signal }),
          }),
      ),
  };
}

function isUpload(photo: Source | Upload): photo is Upload {
  return photo instanceof Blob || photo instanceof ArrayBuffer || photo instanceof Uint8Array;
}

/** An item carries the parts of its own `/classify` path, with their signature. */
function batchItem(path: string): BatchItem {
  const [, , options = "_", ...source] = path.split("/");
  return { options, source: source.join("/") };
}
