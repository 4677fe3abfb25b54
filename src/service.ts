/** The service for workerd, with its models and codecs: a Worker of its own, or a part of another hono app. */
import type { Hono } from "hono";
import { createApp } from "./app.ts";
import type { AppEnv, Bindings } from "./http/context.ts";
import type { ToEnv } from "./http/middleware.ts";
import { createConsumer } from "./queue/consume.ts";
import { classifyModels } from "./runtime/students.ts";
import { bundledDownscalers, type LoadModel, loadCodec } from "./runtime/workerd.ts";

export interface MountOptions<Outer> {
  /** The service's own environment (its variables and bindings, see docs/configuration.md) from the app's; the same if absent. */
  readonly env?: (bindings: Outer) => Bindings;
}

export interface Service {
  /**
   * The service as a hono app, to be mounted anywhere: signatures, links and the types of problems are relative to that place.
   *
   * @example
   * app.route("/img", thumbnet({ env: (env: Env) => ({ ...env, SOURCE_HOSTS: "images.example.com" }) }));
   */
  thumbnet<Outer = Bindings>(options?: MountOptions<Outer>): Hono<AppEnv>;

  /**
   * A Worker's `queue()`, which makes the thumbnails that `PREGENERATE` names as R2 tells of changed originals.
   *
   * @example
   * export default { fetch: app.fetch, queue: queueConsumer({ env }) };
   */
  queueConsumer<Outer = Bindings>(options?: MountOptions<Outer>): ExportedHandlerQueueHandler<Outer>;
}

/** @param load what runs the downscalers. */
export function serviceWith(load: LoadModel): Service {
  const runtime = { downscalers: bundledDownscalers(load), loadCodec };
  return {
    // Hono types an app's bindings as what it takes; here they are what the app around it has.
    thumbnet: ({ env } = {}) => createApp({ ...runtime, ...classifyModels }, env as ToEnv | undefined),
    queueConsumer({ env } = {}) {
      const consume = createConsumer(runtime);
      const toEnv = env as ToEnv | undefined;
      return (batch, outer) => {
        const own = outer as Bindings;
        return consume(batch, toEnv ? toEnv(own) : own);
      };
    },
  };
}
