/** Thumbnails below `/img` of an app that has routes of its own. */
import { Hono } from "hono";
import { thumbnet } from "../../../src/thumbnet.ts";

interface Bindings {
  readonly PHOTOS: R2Bucket;
  readonly SMALL_PHOTOS: R2Bucket;
  readonly THUMBNAIL_KEYS: string;
}

const app = new Hono<{ Bindings: Bindings }>();

app.get("/", (c) =>
  c.html('<img src="/img/thumbnail/size=112/r2:church.jpg" width="112" height="112" alt="A church">'),
);

app.route(
  "/img",
  thumbnet({
    // The service's bindings and variables, from those of this app.
    env: (env: Bindings) => ({
      ORIGINALS: env.PHOTOS,
      THUMBNAILS: env.SMALL_PHOTOS,
      SIGNING_KEYS: env.THUMBNAIL_KEYS,
    }),
  }),
);

app.notFound((c) => c.text("This app has no such page.", 404));

export default app;
