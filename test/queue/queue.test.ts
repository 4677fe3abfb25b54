/** Changes of the bucket of originals, from the message to the thumbnails in R2, through miniflare's Queues. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { thumbnailKey, thumbnailsOf } from "../../src/cache/key.ts";
import { downscalerFor, makeThumbnail, type ThumbnailSpec } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { FAULTY_WORKER_DIR } from "../worker/build.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";

// The queue waits before it delivers, and before it tries again.
vi.setConfig({ testTimeout: 90_000 });

const church = await readFile("examples/photos/church.jpg");
const parachute = await readFile("examples/photos/parachute.jpg");
const runtime = await nodeRuntime();
const EXAMPLE: object = JSON.parse(await readFile("examples/queue/notification.json", "utf8"));

/** What `PREGENERATE` below names. */
const SPECS: readonly ThumbnailSpec[] = [
  { size: 56, format: "png" },
  { size: 112, format: "webp", quality: 60 },
];

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker(
    { PRESETS: '{"card": "size=112,format=webp,quality=60"}', PREGENERATE: "_ card", ORIGINALS_PREFIX: "photos/" },
    {},
    FAULTY_WORKER_DIR,
    ["examples/queue/wrangler.toml"],
  );
});
afterAll(() => worker.close());

const originalOf = (name: string) => ({ kind: "r2", key: `photos/${name}` }) as const;

const keysOf = (name: string) =>
  Promise.all(SPECS.map((spec) => thumbnailKey(originalOf(name), spec, downscalerFor(spec.size, runtime).card)));

/** The versions that R2 gave the thumbnails; a new one is given by each write. */
async function versionsOf(name: string): Promise<(string | undefined)[]> {
  return Promise.all((await keysOf(name)).map(async (key) => (await worker.env.THUMBNAILS.head(key))?.version));
}

/** Stores an original and notifies as R2 does: https://developers.cloudflare.com/r2/buckets/event-notifications/ */
async function put(name: string, photo: Uint8Array, action = "PutObject"): Promise<object> {
  const key = `photos/${name}`;
  const stored = await worker.env.ORIGINALS.put(key, photo);
  const notification = {
    ...EXAMPLE,
    action,
    object: { key, size: photo.length, eTag: stored?.etag },
    ...(action === "CopyObject" && { copySource: { bucket: "elsewhere", object: "church.jpg" } }),
  };
  await worker.env.CHANGES.send(notification);
  return notification;
}

async function remove(name: string, action = "DeleteObject"): Promise<void> {
  const key = `photos/${name}`;
  await worker.env.ORIGINALS.delete(key);
  await worker.env.CHANGES.send({ action, bucket: "thumbnet-originals", object: { key } });
}

/** What the handler logged that names all the texts. */
const logged = (...texts: string[]): string[] =>
  worker.harness
    .getLogs()
    .map(({ message }) => message)
    .filter((message) => ["queue", ...texts].every((text) => message.includes(text)));

const waiting = { timeout: 60_000, interval: 100 };
const untilLogged = (texts: string[], times = 1) =>
  vi.waitFor(() => expect(logged(...texts)).toHaveLength(times), waiting);

async function untilMade(name: string): Promise<(string | undefined)[]> {
  return vi.waitFor(async () => {
    const versions = await versionsOf(name);
    expect(versions.every(Boolean)).toBe(true);
    return versions;
  }, waiting);
}

it.each(["PutObject", "CopyObject", "CompleteMultipartUpload"])(
  "%s makes every thumbnail that is configured",
  async (action) => {
    const name = `${action}.jpg`;
    await put(name, church, action);
    await untilMade(name);
    for (const [i, key] of (await keysOf(name)).entries()) {
      const kept = await worker.env.THUMBNAILS.get(key);
      const spec = SPECS[i] as ThumbnailSpec;
      expect(new Uint8Array((await kept?.arrayBuffer()) ?? [])).toEqual(
        (await makeThumbnail(church, spec, runtime)).bytes,
      );
    }
    const response = await worker.fetch(`/thumbnail/card/r2:${name}`);
    expect([response.status, response.headers.get("cache-status")]).toEqual([200, "thumbnet-edge; hit; detail=r2"]);
  },
);

it("a message that comes twice does no work twice", async () => {
  const notification = await put("twice.jpg", church);
  const before = await untilMade("twice.jpg");
  await worker.env.CHANGES.send(notification);
  await untilLogged(["twice.jpg", "done"], 2);
  expect(await versionsOf("twice.jpg")).toEqual(before);
});

it("a new version of the original replaces its thumbnails, and removes those that requests left", async () => {
  await put("replaced.jpg", church);
  const before = await untilMade("replaced.jpg");
  const asked = await worker.fetch("/thumbnail/format=npy/r2:replaced.jpg");
  expect(asked.status).toBe(200);
  const npy = await thumbnailKey(
    originalOf("replaced.jpg"),
    { size: 56, format: "npy" },
    downscalerFor(56, runtime).card,
  );
  await vi.waitFor(async () => expect(await worker.env.THUMBNAILS.head(npy)).not.toBeNull(), waiting);

  await put("replaced.jpg", parachute);
  await untilLogged(["replaced.jpg", "done"], 2);
  const after = await untilMade("replaced.jpg");
  expect(after.filter((version) => before.includes(version))).toEqual([]);
  expect(await worker.env.THUMBNAILS.head(npy)).toBeNull();
  const kept = await worker.env.THUMBNAILS.get((await keysOf("replaced.jpg"))[0] ?? "");
  const right = await makeThumbnail(parachute, { size: 56, format: "png" }, runtime);
  expect(new Uint8Array((await kept?.arrayBuffer()) ?? [])).toEqual(right.bytes);
});

it.each(["DeleteObject", "LifecycleDeletion"])(
  "%s removes the original's thumbnails and no other's",
  async (action) => {
    const [name, longer] = [`${action}.jpg`, `${action}.jpg.jpg`];
    await put(name, church);
    await put(longer, church);
    const others = await untilMade(longer);
    await untilMade(name);
    await remove(name, action);
    await vi.waitFor(async () => expect(await versionsOf(name)).toEqual([undefined, undefined]), waiting);
    expect(await versionsOf(longer)).toEqual(others);
  },
);

it("a deletion removes all of the original's thumbnails, however many pages R2 lists them on", async () => {
  const { prefix } = thumbnailsOf(originalOf("popular.jpg"));
  // R2 gives fewer than its 1000 keys if metadata is asked for: miniflare 100.
  const keys = Array.from({ length: 150 }, (_, i) => `${prefix}${i}.png`);
  await Promise.all(keys.map((key) => worker.env.THUMBNAILS.put(key, "a thumbnail")));
  await remove("popular.jpg");
  await untilLogged(["popular.jpg", "done"]);
  expect((await worker.env.THUMBNAILS.list({ prefix })).objects).toHaveLength(0);
});

it("keys that begin alike for longer than a thumbnail's key is do not take each other's thumbnails", async () => {
  const [one, other] = ["1.jpg", "2.jpg"].map((end) => "a".repeat(900) + end) as [string, string];
  await put(one, church);
  await put(other, parachute);
  const [before, versions] = [await untilMade(one), await untilMade(other)];
  await remove(other);
  await vi.waitFor(async () => expect(await versionsOf(other)).toEqual([undefined, undefined]), waiting);
  expect(await versionsOf(one)).toEqual(before);
  expect(versions).not.toEqual(before);
});

it("a deletion that arrives after the original came back removes nothing", async () => {
  await put("back.jpg", church);
  const before = await untilMade("back.jpg");
  await worker.env.CHANGES.send({ action: "DeleteObject", object: { key: "photos/back.jpg" } });
  await untilLogged(["back.jpg", "done"], 2);
  expect(await versionsOf("back.jpg")).toEqual(before);
});

it("a file that is no image is logged once and not tried again, and no thumbnail of an earlier version stays", async () => {
  await put("broken.jpg", church);
  await untilMade("broken.jpg");
  await put("broken.jpg", church.subarray(0, 200));
  await untilLogged(["broken.jpg", "refused"]);
  expect(await versionsOf("broken.jpg")).toEqual([undefined, undefined]);
  // Longer than the first delay and the batch's wait, so that a second try would be seen.
  await new Promise((resolve) => setTimeout(resolve, 8000));
  expect(logged("broken.jpg", "refused")).toHaveLength(1);
});

it("a new version that is too large leaves no thumbnail of the one before", async () => {
  await put("grown.jpg", church);
  await untilMade("grown.jpg");
  await put("grown.jpg", new Uint8Array(21e6));
  await untilLogged(["grown.jpg", "refused", "body-too-large"]);
  expect(await versionsOf("grown.jpg")).toEqual([undefined, undefined]);
});

it("a version that is overtaken while its thumbnails are made does not stay in those of the newer one", async () => {
  await worker.env.ORIGINALS.put("photos/overtaking.jpg", parachute);
  await put("overtaken.jpg", church);
  await untilLogged(["overtaken.jpg", "retry", "changed"]);
  await untilLogged(["overtaken.jpg", "done"]);
  const kept = await worker.env.THUMBNAILS.get((await keysOf("overtaken.jpg"))[0] ?? "");
  const right = await makeThumbnail(parachute, { size: 56, format: "png" }, runtime);
  expect(new Uint8Array((await kept?.arrayBuffer()) ?? [])).toEqual(right.bytes);
});

it("an object outside the prefix of the originals is left alone", async () => {
  await worker.env.ORIGINALS.put("private/church.jpg", church);
  await worker.env.CHANGES.send({ action: "PutObject", object: { key: "private/church.jpg" } });
  await untilLogged(["private/church.jpg", "ignored"]);
  expect((await worker.env.THUMBNAILS.list({ prefix: "thumbnails/r2:private" })).objects).toEqual([]);
});

it("a message that meets a fault is tried again later, and then succeeds", async () => {
  await put("fails-once.jpg", church);
  await untilLogged(["fails-once.jpg", "retry", "r2.put failed"]);
  expect(await versionsOf("fails-once.jpg")).toContain(undefined);
  await untilMade("fails-once.jpg");
  await untilLogged(["fails-once.jpg", "done"]);
});

it("a message that cannot be read ends among the dead letters, after its last try", async () => {
  const poison = { action: "PutObject", object: "photos/poison.jpg" };
  await worker.env.CHANGES.send(poison);
  const letters = worker.harness.getWorker("thumbnet-dead-letters");
  await vi.waitFor(async () => expect(await (await letters.fetch("/")).json()).toEqual([poison]), waiting);
  expect(logged("unreadable", "object")).toHaveLength(6);
});
