import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "../../src/errors.ts";
import { parseSource } from "../../src/request/source.ts";
import { DEFAULT_LIMITS, type SourcePolicy } from "../../src/source/policy.ts";
import type { Originals } from "../../src/source/r2.ts";
import { readSource } from "../../src/source/read.ts";

const FILE = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
const POLICY: SourcePolicy = { rules: [], selfHosts: [], ...DEFAULT_LIMITS };

let miniflare: Miniflare;
let originals: Originals;

beforeAll(async () => {
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default {}",
      r2Buckets: ["ORIGINALS"],
      compatibilityDate: "2026-10-01",
    }),
  );
  const bucket = await miniflare.getR2Bucket("ORIGINALS");
  for (const key of ["photos/a.jpg", "photos/sub/b c.jpg", "photos/ä.jpg", "secret.txt"]) await bucket.put(key, FILE);
  originals = bucket as unknown as Originals;
});
afterAll(() => miniflare.dispose());

const read = (source: string, options: { maxBytes?: number; etag?: string; originals?: Originals } = {}) =>
  readSource(
    parseSource(source),
    {
      policy: { ...POLICY, maxBytes: options.maxBytes ?? POLICY.maxBytes },
      fetch: () => Promise.reject(new Error("Nothing is fetched.")),
      originals: options.originals ?? originals,
      originalsPrefix: "photos/",
    },
    options.etag ? { etag: options.etag } : {},
  );

test.each(["r2:a.jpg", "r2:sub/b%20c.jpg", "r2:sub%2Fb c.jpg", "r2:%C3%A4.jpg", "r2:ä.jpg"])(
  "reads %s",
  async (source) => {
    expect(await read(source)).toMatchObject({ status: "read", bytes: FILE, etag: expect.stringMatching(/^"\w+"$/) });
  },
);

describe("keys that look like a way out of the prefix", () => {
  test.each([
    ...[
      "r2:../secret.txt",
      "r2:%2e%2e/secret.txt",
      "r2:..%2fsecret.txt",
      "r2:..%5csecret.txt",
      "r2:sub/../../secret.txt",
    ],
    ...[
      "r2:/secret.txt",
      "r2://secret.txt",
      "r2:./a.jpg",
      "r2:sub//b.jpg",
      "r2:sub/",
      "r2:a%00.jpg",
      "r2:a%0a.jpg",
      "r2:a%7f.jpg",
    ],
    ...["r2:..", "r2:.", "r2:sub/..", "r2:\\secret.txt"],
  ])("%s is refused", async (source) => {
    await expect(read(source)).rejects.toMatchObject({ code: "source-not-allowed" });
  });

  test.each(["r2:secret.txt", "r2:%252e%252e/secret.txt", "r2:...", "r2:a..jpg"])(
    "%s is only a missing key",
    async (source) => {
      await expect(read(source)).rejects.toMatchObject({ code: "source-not-found" });
    },
  );
});

test("a file at the limit is read, one byte more is not", async () => {
  expect(await read("r2:a.jpg", { maxBytes: 1000 })).toMatchObject({ status: "read" });
  await expect(read("r2:a.jpg", { maxBytes: 999 })).rejects.toMatchObject({ code: "body-too-large" });
});

test("the version already at hand is not read again", async () => {
  const first = await read("r2:a.jpg");
  const etag = first.status === "read" ? (first.etag ?? "") : "";
  expect(await read("r2:a.jpg", { etag })).toEqual({ status: "not-modified" });
  expect(await read("r2:a.jpg", { etag: `W/${etag}` })).toEqual({ status: "not-modified" });
  expect(await read("r2:a.jpg", { etag: '"other"' })).toMatchObject({ status: "read" });
});

test("without a bucket there are no r2: sources", async () => {
  const context = { policy: POLICY, fetch: () => Promise.reject(new Error("Nothing is fetched.")) };
  await expect(readSource(parseSource("r2:a.jpg"), context)).rejects.toMatchObject({ code: "source-not-allowed" });
});

test("a bucket that fails is a failure of the source, and its message stays inside", async () => {
  const failing: Originals = { get: () => Promise.reject(new Error("internal: shard 7 is down")) };
  const error = await read("r2:a.jpg", { originals: failing }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({ code: "source-failed", message: "The bucket of originals could not be read." });
});

test.each([
  ["before it answers", { get: () => new Promise<never>(() => {}) }],
  [
    "in the middle of the file",
    {
      get: async () => ({
        size: 1000,
        httpEtag: '"1"',
        uploaded: new Date(),
        body: new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(FILE.subarray(0, 10)) }),
      }),
    },
  ],
])("a bucket that hangs %s is given up", async (_, hanging: Originals) => {
  const policy = { ...POLICY, headerTimeoutMs: 50, bodyTimeoutMs: 50 };
  const reading = readSource(parseSource("r2:a.jpg"), { policy, fetch: () => Promise.reject(), originals: hanging });
  await expect(reading).rejects.toMatchObject({ code: "source-timeout" });
});

test.each([
  ["never answers", () => new Promise<void>(() => {})],
  ["fails", () => Promise.reject(new Error("internal: the stream is broken"))],
])("a file that is too large is refused as that, though telling the bucket to stop %s", async (_, cancel) => {
  const size = POLICY.maxBytes + 1;
  const body = new ReadableStream<Uint8Array>({ cancel });
  const endless: Originals = { get: async () => ({ size, httpEtag: '"1"', uploaded: new Date(), body }) };
  const reading = read("r2:a.jpg", { originals: endless });
  await expect(reading).rejects.toMatchObject({ code: "body-too-large" });
});
