/** What handlers find in hono's context, and what they need made of it. */
import type { Context } from "hono";
import { basePath } from "hono/route";
import type { CacheTiers } from "../cache/cached.ts";
import type { Classifier } from "../classify/classifier.ts";
import type { Config } from "../config.ts";
import { Problem } from "../errors.ts";
import type { Observation } from "../observation.ts";
import { type Authorized, rawTarget } from "../request/sign.ts";
import type { RequestLine } from "../request/thumbnail.ts";
import type { Lifetime } from "../respond.ts";
import { checkAddresses } from "../source/dns.ts";
import type { SourceContext } from "../source/read.ts";
import type { Metrics } from "./data-point.ts";

/** What the service finds in its environment: the buckets always, its variables as texts, everything else if it is bound. */
export interface Bindings {
  readonly THUMBNAILS: R2Bucket;
  readonly ORIGINALS: R2Bucket;
  readonly CHANGES?: Queue;
  readonly RATE_LIMITER?: RateLimit;
  readonly METRICS?: Metrics;
  readonly [variable: string]: unknown;
}

export interface AppEnv {
  /** Those of the app around it; the service's own are the variable `bindings`. */
  Bindings: object;
  Variables: {
    bindings: Bindings;
    config: Config;
    classifier: Classifier;
    authorized: Authorized;
    observation: Observation;
  };
}
export type AppContext = Context<AppEnv>;

/** The path below which the service is mounted in another app; "" for a Worker of its own. */
export function mountOf(c: Context): string {
  return basePath(c).replace(/\/$/, "");
}

/** Path and query as received, below the mount: what is signed. @throws Problem `not-found` if the mount is spelled in another way. */
export function targetOf(c: Context): string {
  const [target, mount] = [rawTarget(c.req.url), mountOf(c)];
  if (!target.startsWith(`${mount}/`)) throw new Problem("not-found", `Expected a path that starts with ${mount}/.`);
  return target.slice(mount.length);
}

/** The request without its signature: what is asked for. */
export function requestLine(c: AppContext): RequestLine {
  return { target: c.var.authorized.target, accept: c.req.header("accept") ?? null };
}

export function ifNoneMatch(c: AppContext): string | null {
  return c.req.header("if-none-match") ?? null;
}

/** For how long the answer may be kept: never past the end of the signature that it was given for. */
export function lifetime(c: AppContext): Lifetime {
  const { config, authorized } = c.var;
  const left = authorized.expiresAt ? Math.floor((authorized.expiresAt.getTime() - Date.now()) / 1000) : Infinity;
  const maxAge = Math.max(0, Math.min(config.cacheMaxAge, left));
  return { maxAge, cut: config.cacheMaxAge - maxAge };
}

export function cacheTiers(c: AppContext): CacheTiers {
  return {
    edge: caches.default,
    bucket: c.var.bindings.THUMBNAILS,
    address: `${new URL(c.req.url).origin}${mountOf(c)}`,
    maxAge: c.var.config.cacheMaxAge,
    waitUntil: (promise) => c.executionCtx.waitUntil(promise),
  };
}

/** How originals are read: by the configured policy, and never from the very host that was asked. */
export function sourceContext(c: AppContext): SourceContext {
  const { sourcePolicy, dnsCheck, originalsPrefix } = c.var.config;
  const selfHosts = [...sourcePolicy.selfHosts, new URL(c.req.url).host];
  return {
    policy: { ...sourcePolicy, selfHosts },
    fetch: (url, init) => fetch(url, init),
    checkHost: dnsCheck === undefined ? undefined : checkAddresses(dnsCheck, (url, init) => fetch(url, init)),
    originals: c.var.bindings.ORIGINALS,
    originalsPrefix,
  };
}
