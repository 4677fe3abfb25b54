/** The service for other Workers of the same account, over a service binding: no URLs, no HTTP, no signatures. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { createClient } from "./client/client.ts";
import type { Classification, ClassifyOptions, Source, Thumbnail, ThumbnailOptions, Upload } from "./client/types.ts";
import type { Bindings } from "./http/context.ts";
import type { Service } from "./service.ts";

/** Of no host: it names entries of the edge cache and nothing else. */
const ADDRESS = "https://thumbnet-edge.invalid";

export interface ThumbNetEntrypoint extends WorkerEntrypoint<Bindings> {
  /** As the client's method. @throws ProblemError, whose `code` is the type of the problem. */
  thumbnail(photo: Source | Upload, options?: ThumbnailOptions): Promise<Thumbnail>;
  /** As the client's method. @throws ProblemError, whose `code` is the type of the problem. */
  classify(photo: Source | Upload, options?: ClassifyOptions): Promise<Classification>;
}

/**
 * `services = [{ binding = "THUMBNET", service = "thumbnet-edge", entrypoint = "ThumbNet" }]`
 *
 * A Worker with bindings of other names extends it, and gives `super(ctx, env)` the service's own.
 */
export function entrypoint(
  thumbnet: Service["thumbnet"],
): new (
  ctx: ExecutionContext,
  env: Bindings,
) => ThumbNetEntrypoint {
  /** A binding is the owner's own word, so that no signature is asked for. Sources and limits are those of the deployment. */
  const app = thumbnet({ env: (env: Bindings) => ({ ...env, ALLOW_UNSIGNED: "true" }) });
  const client = (env: Bindings, ctx: ExecutionContext) =>
    createClient(ADDRESS, { fetch: async (request) => app.fetch(request, env, ctx) });

  return class extends WorkerEntrypoint<Bindings> implements ThumbNetEntrypoint {
    thumbnail(photo: Source | Upload, options?: ThumbnailOptions) {
      return client(this.env, this.ctx).thumbnail(photo, options);
    }

    classify(photo: Source | Upload, options?: ClassifyOptions) {
      return client(this.env, this.ctx).classify(photo, options);
    }
  };
}
