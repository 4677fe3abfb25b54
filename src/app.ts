/** Every route of the service, and the whole path of a thumbnail request. */
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { type Answer, answerOf, keptNow } from "./cache/answer.ts";
import { type CacheTiers, cached } from "./cache/cached.ts";
import { RecentFailures } from "./cache/failures.ts";
import { thumbnailKey } from "./cache/key.ts";
import { purge } from "./cache/purge.ts";
import { MAX_BATCH_BYTES, parseBatch } from "./classify/batch.ts";
import { type Classifier, createClassifier, WORLD } from "./classify/classifier.ts";
import {
  type ClassifyRoom,
  classifyBatch,
  classifyGet,
  classifyPost,
  respondBatch,
  respondClassification,
} from "./classify/route.ts";
import type { ClassifyModels } from "./classify/student.ts";
import { type Config, parseConfig } from "./config.ts";
import { Problem } from "./errors.ts";
import { inTurn, withPhotoBytes } from "./overload/isolate.ts";
import { countWork } from "./overload/rate-limit.ts";
import { downscalerFor, makeThumbnail, type Runtime, type ThumbnailSpec } from "./pipeline.ts";
import { readPost } from "./request/body.ts";
import { checkOwner } from "./request/owner.ts";
import { type Authorized, authorize, rawTarget } from "./request/sign.ts";
import { canonicalSource, parseSource, type Source } from "./request/source.ts";
import { parseThumbnailGet, parseThumbnailPost, type RequestLine } from "./request/thumbnail.ts";
import { respondProblem, respondThumbnail } from "./respond.ts";
import { isLoop } from "./source/loop.ts";
import { readSource, type SourceContext } from "./source/read.ts";

type AppEnv = { Bindings: Env; Variables: { config: Config; classifier: Classifier; authorized: Authorized } };

/** What every path takes; last in line, for all other methods. */
const METHODS = [
  ["/thumbnail/*", "GET, HEAD, POST, OPTIONS"],
  ["/classify/*", "GET, HEAD, POST, OPTIONS"],
  ["/batch", "POST, OPTIONS"],
  ["/cache/*", "DELETE"],
  ["/models", "GET, HEAD"],
  ["/health", "GET, HEAD"],
] as const;

/** The service as a hono app. `runtime` brings the models and codecs of the place it runs in. */
export function createApp(runtime: Runtime & ClassifyModels): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const failures = new RecentFailures();
  let config: Config | undefined;
  let classifier: Classifier | undefined;

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
    classifier ??= createClassifier(config.classifier, WORLD);
    c.set("classifier", classifier);
    await next();
  });

  app.on(["GET", "POST", "OPTIONS"], ["/thumbnail/*", "/classify/*", "/batch"], (c, next) => {
    const { corsOrigins } = c.var.config;
    const origin = corsOrigins.includes("*") ? "*" : [...corsOrigins];
    return cors({ origin, exposeHeaders: ["etag", "cache-status", "x-request-id"] })(c, next);
  });
  app.on(["GET", "POST"], ["/thumbnail/*", "/classify/*"], async (c, next) => {
    c.set("authorized", await authorize(rawTarget(c.req.url), c.var.config.signing, Date.now()));
    await next();
  });

  /** From the nearest tier, or made of the original now. */
  async function thumbnailOf(c: Context<AppEnv>, source: Source, spec: ThumbnailSpec, ifNoneMatch: string | null) {
    const key = await thumbnailKey(source, spec, downscalerFor(spec.size, runtime).card);
    return cached(key, ifNoneMatch, cacheTiers(c), (validators) =>
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
  }

  /** Reads the body and works on it, within what the isolate grants. */
  function onPost<T>(c: Context<AppEnv>, use: (photo: Uint8Array) => Promise<T>): Promise<T> {
    const work = withPhotoBytes(async (lease) => {
      await countWork(c.env.RATE_LIMITER, c.req.header("cf-connecting-ip"));
      return use(await readPost(c.req.raw, c.var.config.maxImageBytes, lease));
    });
    // If the client leaves, it still ends in order and gives back what it holds of the isolate.
    c.executionCtx.waitUntil(work.catch(() => {}));
    return work;
  }

  app.get("/thumbnail/*", async (c) => {
    const { spec, source, negotiated } = parseThumbnailGet(requestLine(c), c.var.config.presets);
    const answer = await thumbnailOf(c, source, spec, c.req.header("if-none-match") ?? null);
    return respondThumbnail(answer, { maxAge: maxAge(c), negotiated, extension: spec.format });
  });

  app.post("/thumbnail/:options", async (c) => {
    const { spec, negotiated } = parseThumbnailPost(requestLine(c), c.var.config.presets);
    const thumbnail = await onPost(c, (photo) => inTurn(() => makeThumbnail(photo, spec, runtime)));
    const answer = answerOf(await keptNow(thumbnail, {}), "computed", null);
    return respondThumbnail(answer, { maxAge: 0, negotiated, extension: spec.format });
  });

  /** What the routes below take from here. */
  const classifyRoom = (c: Context<AppEnv>): ClassifyRoom => ({
    ...runtime,
    classifier: c.var.classifier,
    presets: c.var.config.presets,
    tiers: cacheTiers(c),
    thumbnail: async (source, spec) => bodyOf(await thumbnailOf(c, source, spec, null)),
  });

  app.get("/classify/*", async (c) => {
    const classification = await classifyGet(c.var.authorized.target, classifyRoom(c));
    return respondClassification(classification, c.req.header("if-none-match") ?? null, maxAge(c));
  });

  app.post("/classify/:options", async (c) => {
    const classification = await onPost(c, (photo) =>
      classifyPost(c.var.authorized.target, photo, classifyRoom(c), (spec) =>
        inTurn(async () => (await makeThumbnail(photo, spec, runtime)).bytes),
      ),
    );
    return respondClassification(classification, null, 0);
  });

  app.post("/batch", async (c) => {
    const items = parseBatch(await readPost(c.req.raw, MAX_BATCH_BYTES));
    const { signing } = c.var.config;
    return respondBatch(
      classifyBatch(items, classifyRoom(c), async (target) => (await authorize(target, signing, Date.now())).target),
    );
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

/** A body, as nothing was said of what the client has. */
function bodyOf({ body }: Answer): Uint8Array<ArrayBuffer> {
  if (!body) throw new Error("An unconditional answer has no body.");
  return body;
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
