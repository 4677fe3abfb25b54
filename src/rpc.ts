/** The service for other Workers of the same account, over a service binding: no URLs, no HTTP, no signatures. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { createClient } from "./client/client.ts";
import type { Classification, ClassifyOptions, Source, Thumbnail, ThumbnailOptions, Upload } from "./client/types.ts";
import type { Bindings } from "./http/context.ts";
import { thumbnet } from "./thumbnet.ts";

/** A binding is the owner's own word, so that no signature is asked for. Sources and limits are those of the deployment. */
const app = thumbnet({ env: (env: Bindings) => ({ ...env, ALLOW_UNSIGNED: "true" }) });

/** Of no host: it names entries of the edge cache and nothing else. */
const ADDRESS = "https://thumbnet-edge.invalid";

/**
 * `services = [{ binding = "THUMBNET", service = "thumbnet-edge", entrypoint = "ThumbNet" }]`
 *
 * A Worker with bindings of other names extends it, and gives `super(ctx, env)` the service's own.
 */
export class ThumbNet extends WorkerEntrypoint<Bindings> {
  /** As the client's method. @throws ProblemError, whose `code` is the type of the problem. */
  thumbnail(photo: Source | Upload, options?: ThumbnailOptions): Promise<Thumbnail> {
    return this.#client().thumbnail(photo, options);
  }

  /** As the client's method. @throws ProblemError, whose `code` is the type of the problem. */
  classify(photo: Source | Upload, options?: ClassifyOptions): Promise<Classification> {
    return this.#client().classify(photo, options);
  }

  #client() {
    return createClient(ADDRESS, { fetch: async (request) => app.fetch(request, this.env, this.ctx) });
  }
}
