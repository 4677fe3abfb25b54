/** Thumbnails below `/img` of an app that has routes of its own. */
import { Hono } from "hono";
import { html } from "hono/html";
import { createClient } from "../../../src/client/index.ts";
import { queueConsumer, ThumbNet, thumbnet } from "../../../src/index.ts";

interface Bindings {
  readonly PHOTOS: R2Bucket;
  readonly SMALL_PHOTOS: R2Bucket;
  readonly THUMBNAIL_KEYS: string;
}

/** The service's bindings and variables, from those of this app. */
const env = (shop: Bindings) => ({
  ORIGINALS: shop.PHOTOS,
  THUMBNAILS: shop.SMALL_PHOTOS,
  SIGNING_KEYS: shop.THUMBNAIL_KEYS,
  PREGENERATE: "size=112",
});

const app = new Hono<{ Bindings: Bindings }>();

app.get("/", async (c) => {
  const [[id, secret] = ["", ""]] = Object.entries<string>(JSON.parse(c.env.THUMBNAIL_KEYS));
  const thumbnails = createClient(new URL("/img", c.req.url), { key: { id, secret }, expiresIn: 3600 });
  const url = await thumbnails.thumbnailUrl({ r2: "church.jpg" }, { size: 112 });
  return c.html(html`<img src="${url}" width="112" height="112" alt="A church">`);
});

app.route("/img", thumbnet({ env }));

app.notFound((c) => c.text("This app has no such page.", 404));

export default { fetch: app.fetch, queue: queueConsumer({ env }) } satisfies ExportedHandler<Bindings>;

/** `thumbnail()` and `classify()` for other Workers, over a service binding. */
export class Thumbnails extends ThumbNet {
  constructor(ctx: ExecutionContext, shop: Bindings) {
    super(ctx, env(shop));
  }
}
