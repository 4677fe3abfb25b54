/** Services of one Worker, whose originals have the same names: in buckets of their own, or below prefixes of one bucket. */
import { Hono } from "hono";
import { ThumbNet, thumbnet } from "../../../src/index.ts";

interface Env {
  readonly CATS: R2Bucket;
  readonly SMALL_CATS: R2Bucket;
  readonly DOGS: R2Bucket;
  readonly SMALL_DOGS: R2Bucket;
  readonly PETS: R2Bucket;
  readonly SMALL_PETS: R2Bucket;
  readonly ORIGINS: string;
  readonly CATS_SERVICE: Service<ThumbNet>;
  readonly DOGS_SERVICE: Service<ThumbNet>;
}

const app = new Hono<{ Bindings: Env }>();

function mount(
  path: string,
  bindings: (e: Env) => { ORIGINALS: R2Bucket; THUMBNAILS: R2Bucket },
  vars: object = {},
): void {
  app.route(
    path,
    thumbnet({ env: (e: Env) => ({ ...bindings(e), ...vars, ORIGINS: e.ORIGINS, ALLOW_UNSIGNED: "true" }) }),
  );
}

const cats = (e: Env) => ({ ORIGINALS: e.CATS, THUMBNAILS: e.SMALL_CATS });
const dogs = (e: Env) => ({ ORIGINALS: e.DOGS, THUMBNAILS: e.SMALL_DOGS });
const pets = (e: Env) => ({ ORIGINALS: e.PETS, THUMBNAILS: e.SMALL_PETS });
mount("/cats", cats);
mount("/dogs", dogs);
mount("/kittens", pets, { ORIGINALS_PREFIX: "kittens/", SOURCE_HOSTS: "*" });
mount("/puppies", pets, { ORIGINALS_PREFIX: "puppies/", SOURCE_HOSTS: "puppies.example.com" });

app.get("/bound/:service/:key", async ({ env, req }) => {
  const service = req.param("service") === "cats" ? env.CATS_SERVICE : env.DOGS_SERVICE;
  const { bytes } = await service.thumbnail(`r2:${req.param("key")}`);
  return new Response(bytes);
});

export default app satisfies ExportedHandler<Env>;

export class Cats extends ThumbNet {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, cats(env));
  }
}

/** Its originals are below a prefix, so that a configuration read for another class would find none. */
export class Dogs extends ThumbNet {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, { ...pets(env), ORIGINALS_PREFIX: "puppies/" });
  }
}
