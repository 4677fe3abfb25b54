/** Routes about the service itself. */
import type { Hono } from "hono";
import { type AppEnv, mountOf } from "../http/context.ts";
import { openApi } from "./openapi.ts";
import { problemList, problemPage } from "./problem-pages.ts";

export function describeService(app: Hono<AppEnv>): void {
  app.get("/openapi.json", (c) => c.json(openApi(mountOf(c))));
  app.get("/problems", (c) => c.html(problemList(mountOf(c))));
  app.get("/problems/:type", (c) => c.html(problemPage(c.req.param("type"), mountOf(c))));
}
