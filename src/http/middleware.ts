/** What happens to every request before its route, and to those that no route takes. */
import type { Hono } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { type Classifier, createClassifier, WORLD } from "../classify/classifier.ts";
import { type Config, parseConfig } from "../config.ts";
import { asProblem, Problem } from "../errors.ts";
import { Observation } from "../observation.ts";
import { authorize } from "../request/sign.ts";
import { respondProblem } from "../respond.ts";
import { isLoop } from "../source/loop.ts";
import { type AppContext, type AppEnv, type Bindings, mountOf, targetOf } from "./context.ts";
import { writeDataPoint } from "./data-point.ts";
import { logFailure } from "./failure-log.ts";

/** What each path takes. */
const METHODS = [
  ["/thumbnail/:options", "POST, OPTIONS"],
  ["/thumbnail/*", "GET, HEAD, OPTIONS"],
  ["/classify/:options", "POST, OPTIONS"],
  ["/classify/*", "GET, HEAD, OPTIONS"],
  ["/batch", "POST, OPTIONS"],
  ["/cache/*", "DELETE"],
  ["/backfill", "POST"],
  ["/models", "GET, HEAD"],
  ["/health", "GET, HEAD"],
  ["/problems", "GET, HEAD"],
  ["/problems/:type", "GET, HEAD"],
  ["/openapi.json", "GET, HEAD"],
] as const;

/** Routes that make something. */
const WORK = ["/thumbnail/*", "/classify/*", "/batch"];

/** Gives the service's environment from that of the app around it. */
export type ToEnv = (around: object) => Bindings;

/** Names, observes, guards and authorizes requests. Goes before the routes. */
export function receiveRequests(app: Hono<AppEnv>, toEnv: ToEnv = (around) => around as Bindings): void {
  let config: Config | undefined;
  let classifier: Classifier | undefined;

  app.use(requestId());
  app.use(async (c, next) => {
    await next();
    c.header("x-request-id", c.var.requestId);
  });
  app.use(async (c, next) => {
    // Not in the place of `c.env`: the app around needs that back before a batch's stream has ended.
    c.set("bindings", toEnv(c.env));
    c.set("observation", new Observation());
    await next();
  });
  app.on(["GET", "POST"], WORK, async (c, next) => {
    await next();
    const { observation } = c.var;
    c.header("server-timing", observation.serverTiming());
    const [, route = ""] = c.req.path.slice(mountOf(c).length).split("/");
    writeDataPoint(c.var.bindings.METRICS, { route, method: c.req.method, response: c.res, observation });
  });
  app.use(
    secureHeaders({ crossOriginResourcePolicy: "cross-origin", contentSecurityPolicy: { defaultSrc: ["'none'"] } }),
  );
  app.use(async (c, next) => {
    if (isLoop(c.req.raw.headers)) throw new Problem("loop-detected", "This request comes from the service itself.");
    config ??= parseConfig(c.var.bindings);
    c.set("config", config);
    classifier ??= createClassifier(config.classifier, WORLD);
    c.set("classifier", classifier);
    await next();
  });
  app.on(["GET", "POST", "OPTIONS"], WORK, (c, next) => {
    const { corsOrigins } = c.var.config;
    const origin = corsOrigins.includes("*") ? "*" : [...corsOrigins];
    return cors({
      origin,
      exposeHeaders: ["age", "cache-status", "etag", "retry-after", "server-timing", "x-request-id"],
    })(c, next);
  });
  app.on(["GET", "POST"], ["/thumbnail/*", "/classify/*"], async (c, next) => {
    c.set("authorized", await authorize(targetOf(c), c.var.config.signing, Date.now()));
    await next();
  });
}

/** Answers what no route took, and everything that was thrown. Goes after the routes. */
export function refuseTheRest(app: Hono<AppEnv>): void {
  for (const [path, allow] of METHODS) {
    app.all(path, (c) => {
      const response = refuse(c, new Problem("method-not-allowed", `Expected ${allow}, but got ${c.req.method}.`));
      response.headers.set("allow", allow);
      return response;
    });
  }
  // A route and not `notFound`, which stays behind when the app is mounted.
  app.all("*", (c) => refuse(c, new Problem("not-found", `There is nothing at ${c.req.method} ${c.req.path}.`)));
  app.onError((error, c) => {
    const problem = asProblem(error);
    logFailure(problem, { requestId: c.var.requestId });
    return refuse(c, problem);
  });
}

function refuse(c: AppContext, problem: Problem): Response {
  c.var.observation.problem = problem.code;
  return respondProblem(problem, mountOf(c));
}
