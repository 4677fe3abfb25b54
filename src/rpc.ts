/** The service for other Workers of the same account, over a service binding: no URLs, no HTTP, no signatures. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { createClient, type ThumbnetClient } from "./client/client.ts";
import type { Classification, ClassifyOptions, Source, Thumbnail, ThumbnailOptions, Upload } from "./client/types.ts";
import type { Bindings } from "./http/context.ts";
import type { Service } from "./service.ts";

/** Of no host: it names entries of the edge cache and nothing else, and those of each class otherwise. */
const addressOf = (name: string) => `https://${name}.thumbnet-edge.invalid`;

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
  const apps = new Map<unknown, ReturnType<typeof thumbnet>>();

  /** An app reads its configuration once, and classes that extend this may give it others. */
  function appOf(kind: unknown) {
    // A binding is the owner's own word, so that no signature is asked for. Sources and limits are those of the deployment.
    const app = apps.get(kind) ?? thumbnet({ env: (env: Bindings) => ({ ...env, ALLOW_UNSIGNED: "true" }) });
    apps.set(kind, app);
    return app;
  }

  return class ThumbNet extends WorkerEntrypoint<Bindings> implements ThumbNetEntrypoint {
    readonly #client: ThumbnetClient;

    constructor(ctx: ExecutionContext, env: Bindings) {
      super(ctx, env);
      const app = appOf(new.target);
      this.#client = createClient(addressOf(new.target.name), {
        fetch: async (request) => app.fetch(request, env, ctx),
      });
    }

    thumbnail(photo: Source | Upload, options?: ThumbnailOptions) {
      return this.#client.thumbnail(photo, options);
    }

    classify(photo: Source | Upload, options?: ClassifyOptions) {
      return this.#client.classify(photo, options);
    }
  };
}
