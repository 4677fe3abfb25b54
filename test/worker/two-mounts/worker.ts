/** Services of one Worker, whose originals have the same names: in buckets of their own, or below prefixes of one bucket. */
import { Hono } from "hono";
import { thumbnet } from "../../../src/index.ts";

interface Env {
  readonly CATS: R2Bucket;
  readonly SMALL_CATS: R2Bucket;
  readonly DOGS: R2Bucket;
  readonly SMALL_DOGS: R2Bucket;
  readonly PETS: R2Bucket;
  readonly SMALL_PETS: R2Bucket;
  readonly ORIGINS: string;
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

const pets = (e: Env) => ({ ORIGINALS: e.PETS, THUMBNAILS: e.SMALL_PETS });
mount("/cats", (e) => ({ ORIGINALS: e.CATS, THUMBNAILS: e.SMALL_CATS }));
mount("/dogs", (e) => ({ ORIGINALS: e.DOGS, THUMBNAILS: e.SMALL_DOGS }));
mount("/kittens", pets, { ORIGINALS_PREFIX: "kittens/", SOURCE_HOSTS: "*" });
mount("/puppies", pets, { ORIGINALS_PREFIX: "puppies/", SOURCE_HOSTS: "puppies.example.com" });

export default app satisfies ExportedHandler<Env>;
