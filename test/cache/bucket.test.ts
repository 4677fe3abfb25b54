/** R2's limits on what is listed and deleted at once, with miniflare's R2. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deleteBucket, listBucket } from "../../src/cache/bucket.ts";

const PREFIX = "thumbnails/r2:a.jpg/";
const KEYS = Array.from({ length: 250 }, (_, i) => `${PREFIX}${i}.png`);

let miniflare: Miniflare;
let bucket: R2Bucket;
beforeAll(async () => {
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default {}",
      r2Buckets: ["THUMBNAILS"],
      compatibilityDate: "2026-10-01",
    }),
  );
  bucket = (await miniflare.getR2Bucket("THUMBNAILS")) as unknown as R2Bucket;
  const customMetadata = { "source-etag": '"1"' };
  await Promise.all([...KEYS, `${PREFIX}below/0.png`].map((key) => bucket.put(key, "bytes", { customMetadata })));
});
afterAll(() => miniflare.dispose());

test("thumbnails on several pages are all listed, with their original's ETag, and none of what is further below", async () => {
  const listed = await listBucket(bucket, PREFIX);
  expect([...listed.keys()].sort()).toEqual([...KEYS].sort());
  expect(new Set(listed.values())).toEqual(new Set(['"1"']));
});

test("more keys than R2 takes at once are all deleted", async () => {
  // miniflare takes any number; R2 refuses more than 1000.
  const strict: Pick<R2Bucket, "delete"> = {
    delete: (keys) => (keys.length > 1000 ? Promise.reject(new Error("Too many keys.")) : bucket.delete(keys)),
  };
  const missing = Array.from({ length: 2000 }, (_, i) => `missing/${i}`);
  await deleteBucket(strict, [...missing, ...KEYS]);
  expect((await bucket.list({ prefix: PREFIX })).objects.map(({ key }) => key)).toEqual([`${PREFIX}below/0.png`]);
});
