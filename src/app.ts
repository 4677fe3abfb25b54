/** Every route of the service, and the whole path of a thumbnail request. */
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { answerOf, keptNow } from "./cache/answer.ts";
import { type CacheTiers, cached } from "./cache/cached.ts";
import { RecentFailures } from "./cache/failures.ts";
import { thumbnailKey } from "./cache/key.ts";
import { purge } from "./cache/purge.ts";
import { type Config, parseConfig } from "./config.ts";
import { Problem } from "./errors.ts";
import { inTurn, withPhotoBytes } from "./overload/isolate.ts";
import { countWork } from "./overload/rate-limit.ts";
import { downscalerFor, makeThumbnail, type Runtime } from "./pipeline.ts";
import { readPost } from "./request/body.ts";
import { checkOwner } from "./request/owner.ts";
import { type Authorized, authorize, rawTarget } from "./request/sign.ts";
import { canonicalSource, parseSource } from "./request/source.ts";
import { parseThumbnailGet, parseThumbnailPost, type RequestLine } from "./request/thumbnail.ts";
import { respondProblem, respondThumbnail } from "./respond.ts";
import { isLoop } from "./source/loop.ts";
import { readSource, type SourceContext } from "./source/read.ts";

type AppEnv = { Bindings: Env; Variables: { config: Config; authorized: Authorized } };

/** What every path takes; last in line, for all other methods. */
const METHODS = [
  ["/thumbnail/*", "GET, HEAD, POST, OPTIONS"],
  ["/cache/*", "DELETE"],
  ["/models", "GET, HEAD"],
  ["/health", "GET, HEAD"],
] as const;

/** The service as a hono app. `runtime` brings the models and codecs of the place it runs in. */
export function createApp(runtime: Runtime): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const failures = new RecentFailures();
  let config: Config | undefined;

  app.use(requestId());
  app.use(async (c, next) => {
    await next();
    c.header("x-request-id", c.var.requestId);
  });
  app.use(
    secureHeaders({ crossOriginResourcePolicy: "cross-origin", contentSecurityPolicy: { defaultSrc: ["'none'"] } }),
  );
  app.use(async (c, next) => {
    if (isLoop(c.req.raw.headers)) throw new Problem("loop-detected", "This request comes from the service itself.");
    config ??= parseConfig(c.env);
    c.set("config", config);
    await next();
  });

  app.use("/thumbnail/*", (c, next) => {
    const { corsOrigins } = c.var.config;
    const origin = corsOrigins.includes("*") ? "*" : [...corsOrigins];
    return cors({ origin, exposeHeaders: ["etag", "cache-status", "x-request-id"] })(c, next);
  });
  app.on(["GET", "POST"], "/thumbnail/*", async (c, next) => {
    c.set("authorized", await authorize(rawTarget(c.req.url), c.var.config.signing, Date.now()));
    await next();
  });

  app.get("/thumbnail/*", async (c) => {
    const { spec, source, negotiated } = parseThumbnailGet(requestLine(c), c.var.config.presets);
    const key = await thumbnailKey(source, spec, downscalerFor(spec.size, runtime).card);
    const ifNoneMatch = c.req.header("if-none-match") ?? null;
    const answer = await cached(key, ifNoneMatch, cacheTiers(c), (validators) =>
      failures.guard(canonicalSource(source), c.var.config.failureMaxAge, () =>
        withPhotoBytes(async (lease) => {
          await countWork(c.env.RATE_LIMITER, c.req.header("cf-connecting-ip"));
          const original = await readSource(source, { ...sourceContext(c), lease }, validators);
          if (original.status === "not-modified") return null;
          const thumbnail = await inTurn(() => makeThumbnail(original.bytes, spec, runtime));
          return { thumbnail, validators: original };
        }),
      ),
    );
    return respondThumbnail(answer, { maxAge: maxAge(c), negotiated, extension: spec.format });
  });

  app.post("/thumbnail/:options", async (c) => {
    const { presets, maxImageBytes } = c.var.config;
    const { spec, negotiated } = parseThumbnailPost(requestLine(c), presets);
    const thumbnail = await withPhotoBytes(async (lease) => {
      await countWork(c.env.RATE_LIMITER, c.req.header("cf-connecting-ip"));
      const photo = await readPost(c.req.raw, maxImageBytes, lease);
      return inTurn(() => makeThumbnail(photo, spec, runtime));
    });
    const answer = answerOf(await keptNow(thumbnail, {}), "computed", null);
    return respondThumbnail(answer, { maxAge: 0, negotiated, extension: spec.format });
  });

  app.delete("/cache/*", async (c) => {
    await checkOwner(c.req.header("authorization"), c.var.config.ownerKey);
    const source = parseSource(rawTarget(c.req.url).slice("/cache/".length));
    return c.json(await purge(canonicalSource(source), cacheTiers(c)));
  });

  app.get("/models", (c) => c.json({ models: runtime.downscalers.map(({ card }) => card) }));
  app.get("/health", (c) => c.json({ status: "ok" }));

  for (const [path, allow] of METHODS) {
    app.all(path, (c) => {
      const response = respondProblem(new Problem("method-not-allowed", `Expected ${allow}, but got ${c.req.method}.`));
      response.headers.set("allow", allow);
      return response;
    });
  }
  app.notFound((c) => respondProblem(new Problem("not-found", `There is nothing at ${c.req.method} ${c.req.path}.`)));
  app.onError((error, c) => {
    const problem = error instanceof Problem ? error : new Problem("internal-error", "The service failed.", error);
    if (problem.status >= 500)
      console.error({ requestId: c.var.requestId, problem: problem.code, cause: String(problem.cause) });
    return respondProblem(problem);
  });
  return app;
}

function requestLine(c: Context<AppEnv>): RequestLine {
  return { target: c.var.authorized.target, accept: c.req.header("accept") ?? null };
}

/** Seconds for which the answer may be kept: never past the end of the signature that it was given for. */
function maxAge(c: Context<AppEnv>): number {
  const { config, authorized } = c.var;
  const left = authorized.expiresAt ? Math.floor((authorized.expiresAt.getTime() - Date.now()) / 1000) : Infinity;
  return Math.max(0, Math.min(config.cacheMaxAge, left));
}

function cacheTiers(c: Context<AppEnv>): CacheTiers {
  return {
    edge: caches.default,
    bucket: c.env.THUMBNAILS,
    host: new URL(c.req.url).origin,
    maxAge: c.var.config.cacheMaxAge,
    waitUntil: (promise) => c.executionCtx.waitUntil(promise),
  };
}

function sourceContext(c: Context<AppEnv>): SourceContext {
  const { sourcePolicy, originalsPrefix } = c.var.config;
  const selfHosts = [...sourcePolicy.selfHosts, new URL(c.req.url).host];
  return {
    policy: { ...sourcePolicy, selfHosts },
    fetch: (url, init) => fetch(url, init),
    originals: c.env.ORIGINALS,
    originalsPrefix,
  };
}
