/** Two services of one Worker, whose originals have the same names. */
import { Hono } from "hono";
import { thumbnet } from "../../../src/index.ts";

interface Env {
  readonly CATS: R2Bucket;
  readonly SMALL_CATS: R2Bucket;
  readonly DOGS: R2Bucket;
  readonly SMALL_DOGS: R2Bucket;
}

const app = new Hono<{ Bindings: Env }>();
const ALLOW_UNSIGNED = "true";
app.route("/cats", thumbnet({ env: (e: Env) => ({ ORIGINALS: e.CATS, THUMBNAILS: e.SMALL_CATS, ALLOW_UNSIGNED }) }));
app.route("/dogs", thumbnet({ env: (e: Env) => ({ ORIGINALS: e.DOGS, THUMBNAILS: e.SMALL_DOGS, ALLOW_UNSIGNED }) }));

export default app satisfies ExportedHandler<Env>;
