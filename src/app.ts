/** Every route of the service, and the whole path of a thumbnail request. */
import { Hono } from "hono";
import { describeService } from "./api/routes.ts";
import { type Answer, answerOf, keptNow } from "./cache/answer.ts";
import { type Compute, cached } from "./cache/cached.ts";
import { RecentFailures } from "./cache/failures.ts";
import { absoluteSource, cacheTag, thumbnailKey, thumbnailsOf } from "./cache/key.ts";
import { purge } from "./cache/purge.ts";
import { MAX_BATCH_BYTES, parseBatch } from "./classify/batch.ts";
import { observed } from "./classify/classifier.ts";
import {
  type ClassifyRoom,
  classifyBatch,
  classifyGet,
  classifyPost,
  respondBatch,
  respondClassification,
  type StoredThumbnail,
} from "./classify/route.ts";
import type { ClassifyModels } from "./classify/student.ts";
import {
  type AppContext,
  type AppEnv,
  cacheTiers,
  ifNoneMatch,
  lifetime,
  mountOf,
  requestLine,
  sourceContext,
  targetOf,
} from "./http/context.ts";
import { logFailure } from "./http/failure-log.ts";
import { receiveRequests, refuseTheRest, type ToEnv } from "./http/middleware.ts";
import type { Lease } from "./overload/budget.ts";
import { inTurn, releasedOnceDecoded, withPhotoBytes } from "./overload/isolate.ts";
import { countWork } from "./overload/rate-limit.ts";
import { downscalerFor, makeThumbnail, type Runtime, type ThumbnailSpec } from "./pipeline.ts";
import { backfill } from "./queue/backfill.ts";
import { readPost } from "./request/body.ts";
import { checkOwner } from "./request/owner.ts";
import { authorize } from "./request/sign.ts";
import { canonicalSource, parseSource, type Source } from "./request/source.ts";
import { parseThumbnailGet, parseThumbnailPost } from "./request/thumbnail.ts";
import { respondThumbnail } from "./respond.ts";
import { checkSource, readSource, versionCheck } from "./source/read.ts";

/**
 * The service as a hono app.
 *
 * @param runtime brings the models and codecs of the place it runs in.
 * @param toEnv gives the service's environment from that of the app that it is mounted in.
 */
export function createApp(runtime: Runtime & ClassifyModels, toEnv?: ToEnv): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const failures = new RecentFailures();
  /** Thumbnails, and whole photos for models that read those. */
  const pictures = { ...runtime, downscalers: [...runtime.downscalers, ...runtime.whole] };
  receiveRequests(app, toEnv);

  /** From the nearest tier, or made of the original now. */
  async function thumbnailOf(c: AppContext, source: Source, spec: ThumbnailSpec, known: string | null) {
    const originals = sourceContext(c);
    checkSource(source, originals);
    const key = await thumbnailKey(absolute(c, source), spec, downscalerFor(spec.size, pictures).card);
    const make: Compute = (validators) =>
      failures.guard(canonicalSource(source), c.var.config.failureMaxAge, () =>
        withinLimits(c, async (lease) => {
          const { observation } = c.var;
          const read = () => readSource(source, { ...originals, lease }, validators);
          const original = await observation.step("source", read);
          if (original.status === "not-modified") return null;
          observation.bytesIn += original.bytes.length;
          const step = releasedOnceDecoded(original.bytes, observation.step);
          const thumbnail = await inTurn(original.bytes, lease, () =>
            makeThumbnail(original.bytes, spec, pictures, step),
          );
          return { thumbnail, validators: original };
        }),
      );
    const isCurrent = versionCheck(source, c.var.bindings.ORIGINALS, c.var.config.originalsPrefix);
    const answer = await cached(key, known, cacheTiers(c), make, isCurrent);
    c.var.observation.tier = answer.from;
    return answer;
  }

  /** Reads the body and works on it, within what the isolate grants. */
  function onPost<T>(c: AppContext, use: (photo: Uint8Array<ArrayBuffer>, lease: Lease) => Promise<T>): Promise<T> {
    const { config, observation } = c.var;
    const work = withinLimits(c, async (lease) => {
      const photo = await observation.step("source", () => readPost(c.req.raw, config.maxImageBytes, lease));
      observation.bytesIn = photo.length;
      return use(photo, lease);
    });
    // If the client leaves, it still ends in order and gives back what it holds of the isolate.
    c.executionCtx.waitUntil(work.catch(() => {}));
    return work;
  }

  app.get("/thumbnail/*", async (c) => {
    const { spec, source, negotiated } = parseThumbnailGet(requestLine(c), c.var.config.presets);
    const answer = await thumbnailOf(c, source, spec, ifNoneMatch(c));
    const kept = { ...lifetime(c), cacheTag: await tagOf(c, source) };
    return respondThumbnail(answer, { ...kept, negotiated, extension: spec.format });
  });

  app.post("/thumbnail/:options", async (c) => {
    const { spec, negotiated } = parseThumbnailPost(requestLine(c), c.var.config.presets);
    const thumbnail = await onPost(c, (photo, lease) =>
      inTurn(photo, lease, () =>
        makeThumbnail(photo, spec, runtime, releasedOnceDecoded(photo, c.var.observation.step)),
      ),
    );
    const answer = answerOf(await keptNow(thumbnail, {}), { from: "computed" }, null);
    return respondThumbnail(answer, { maxAge: 0, cut: 0, negotiated, extension: spec.format });
  });

  /** What the routes below take from here. */
  const classifyRoom = (c: AppContext): ClassifyRoom => ({
    ...runtime,
    classifier: observed(c.var.classifier, c.var.observation.step),
    presets: c.var.config.presets,
    tiers: cacheTiers(c),
    mount: mountOf(c),
    thumbnail: async (source, spec) => wholeOf(await thumbnailOf(c, source, spec, null)),
  });

  app.get("/classify/*", async (c) => {
    const { classification, source, storedAt } = await classifyGet(c.var.authorized.target, classifyRoom(c));
    return respondClassification(classification, ifNoneMatch(c), {
      ...lifetime(c),
      storedAt,
      cacheTag: await tagOf(c, source),
    });
  });

  app.post("/classify/:options", async (c) => {
    const classification = await onPost(c, (photo, lease) =>
      classifyPost(c.var.authorized.target, photo, classifyRoom(c), (spec) =>
        inTurn(photo, lease, async () => (await makeThumbnail(photo, spec, pictures, c.var.observation.step)).bytes),
      ),
    );
    return respondClassification(classification, null, { maxAge: 0, cut: 0, storedAt: new Date() });
  });

  app.post("/batch", async (c) => {
    const body = await withPhotoBytes((lease) => readPost(c.req.raw, MAX_BATCH_BYTES, lease));
    const items = parseBatch(body);
    const { config, requestId } = c.var;
    return respondBatch(
      classifyBatch(
        items,
        classifyRoom(c),
        async (target) => (await authorize(target, config.signing, Date.now())).target,
        (problem, item) => logFailure(problem, { requestId, item }),
      ),
    );
  });

  app.delete("/cache/*", async (c) => {
    await checkOwner(c.req.header("authorization"), c.var.config.ownerKey);
    const source = parseSource(targetOf(c).slice("/cache/".length));
    const purged = await purge(canonicalSource(absolute(c, source)), cacheTiers(c));
    return c.json(purged, 200, { "x-cache-tag": await tagOf(c, source) });
  });

  app.post("/backfill", async (c) => {
    await checkOwner(c.req.header("authorization"), c.var.config.ownerKey);
    const { ORIGINALS: originals, CHANGES: queue } = c.var.bindings;
    return c.json(await backfill(c.req.query(), { originals, originalsPrefix: c.var.config.originalsPrefix, queue }));
  });

  app.get("/models", (c) => c.json({ models: runtime.downscalers.map(({ card }) => card) }));
  app.get("/health", (c) => c.json({ status: "ok" }));
  describeService(app);

  refuseTheRest(app);
  return app;
}

/** By which CDNs purge all that is of a source. */
const tagOf = (c: AppContext, source: Source) => cacheTag(thumbnailsOf(absolute(c, source)).prefix);

/** What a source's thumbnails are named for. */
const absolute = (c: AppContext, source: Source) => absoluteSource(source, c.var.config.originalsPrefix);

/** Work on a photo: within the bytes that the isolate grants, and counted for the client. */
function withinLimits<T>(c: AppContext, work: (lease: Lease) => Promise<T>): Promise<T> {
  return withPhotoBytes(async (lease) => {
    await countWork(c.var.bindings.RATE_LIMITER, c.req.header("cf-connecting-ip"));
    return work(lease);
  });
}

/** With its body, as nothing was said of what the client has. */
function wholeOf({ body, storedAt }: Answer): StoredThumbnail {
  if (!body) throw new Error("An unconditional answer has no body.");
  return { bytes: body, storedAt };
}
