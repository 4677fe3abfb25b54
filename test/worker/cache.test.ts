/** The cache in front of the pipeline, with real R2 emulation and workerd's Cache API. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { PIPELINE_VERSION, thumbnailKey } from "../../src/cache/key.ts";
import { downscalerFor } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { serveInternet, startWorker, type TestWorker } from "./harness.ts";

const church = await readFile("examples/photos/church.jpg");
const parachute = await readFile("examples/photos/parachute.jpg");
const runtime = await nodeRuntime();

/** What the source serves, how it names its version, and how often it was asked. */
const upstream = { photo: church, etag: '"v1"', requests: 0, conditional: 0 };
let worker: TestWorker;
let shortLived: TestWorker;
let forgetful: TestWorker;
let leaveInternet: () => void;

beforeAll(async () => {
  worker = await startWorker();
  shortLived = await startWorker({ CACHE_MAX_AGE: "0" });
  forgetful = await startWorker({ FAILURE_MAX_AGE: "0" });
  leaveInternet = serveInternet({
    "photos.example.com": (request) => {
      upstream.requests += 1;
      if (request.headers.get("if-none-match") === upstream.etag) {
        upstream.conditional += 1;
        return new Response(null, { status: 304 });
      }
      return new Response(upstream.photo, { headers: { etag: upstream.etag } });
    },
  });
});

afterAll(async () => {
  leaveInternet();
  await Promise.all([worker.close(), shortLived.close(), forgetful.close()]);
});

const get = (path: string, init: RequestInit = {}) => worker.fetch(path, init);
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());
const status = (response: Response) => response.headers.get("cache-status");
const keyOf = (url: string, size = 56) =>
  thumbnailKey({ kind: "http", url }, { size, format: "png" }, downscalerFor(size, runtime).card);

/** The Worker writes its caches after the answer: waits until R2 holds the key. */
async function untilKept(key: string, bucket = worker.env.THUMBNAILS): Promise<void> {
  await vi.waitFor(async () => expect(await bucket.head(key)).not.toBeNull(), { timeout: 5000 });
}

describe("the second request for a thumbnail", () => {
  const url = "https://photos.example.com/second.jpg";
  const path = `/thumbnail/_/${url}`;

  it("is answered by the edge tier with the same bytes and validator, and the source is not asked", async () => {
    const first = await get(path);
    expect(status(first)).toBe("thumbnet-edge; fwd=miss");
    const bytes = await bytesOf(first);
    await untilKept(await keyOf(url));
    const asked = upstream.requests;
    const second = await get(path);
    expect(status(second)).toBe("thumbnet-edge; hit; detail=edge");
    expect(await bytesOf(second)).toEqual(bytes);
    expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(Number(second.headers.get("age"))).toBeGreaterThanOrEqual(0);
    expect(second.headers.get("cache-control")).toBe("public, max-age=86400");
    expect(upstream.requests).toBe(asked);
  });

  it("is answered by R2 in a data centre that has not seen it, and the ETag is R2's own", async () => {
    const key = await keyOf(url);
    const object = await worker.env.THUMBNAILS.head(key);
    const elsewhere = await get(`http://another-host.example.net${path}`);
    expect(status(elsewhere)).toBe("thumbnet-edge; hit; detail=r2");
    expect(elsewhere.headers.get("etag")).toBe(object?.httpEtag);
    await elsewhere.arrayBuffer();
  });

  it("by HEAD has the headers of a GET and no body", async () => {
    const [head, full] = [await get(path, { method: "HEAD" }), await get(path)];
    expect([head.status, head.headers.get("etag")]).toEqual([200, full.headers.get("etag")]);
    expect((await head.arrayBuffer()).byteLength).toBe(0);
  });
});

describe("a conditional request", () => {
  const url = "https://photos.example.com/conditional.jpg";
  let etag = "";

  beforeAll(async () => {
    const response = await get(`/thumbnail/_/${url}`);
    etag = response.headers.get("etag") ?? "";
    await response.arrayBuffer();
    await untilKept(await keyOf(url));
  });

  it.each([
    ["the edge tier", "", (tag: string) => tag, 304],
    ["the edge tier, weakly", "", (tag: string) => `W/${tag}`, 304],
    ["the edge tier, from a list", "", (tag: string) => `"other", ${tag}`, 304],
    ["the edge tier, of any version", "", () => "*", 304],
    ["the edge tier, of another version", "", () => '"other"', 200],
    ["R2", "http://cold-1.example.net", (tag: string) => tag, 304],
    ["R2, from a list", "http://cold-2.example.net", (tag: string) => `"other", ${tag}`, 304],
    ["R2, of any version", "http://cold-5.example.net", () => " * ", 304],
    ["R2, of another version", "http://cold-3.example.net", () => '"other"', 200],
    ["R2, with garbage", "http://cold-4.example.net", () => 'a"b, W/', 200],
  ])("to %s is answered rightly", async (_, host, tag, expected) => {
    const asked = upstream.requests;
    const response = await get(`${host}/thumbnail/_/${url}`, { headers: { "if-none-match": tag(etag) } });
    expect([response.status, response.headers.get("etag")]).toEqual([expected, etag]);
    expect((await response.arrayBuffer()).byteLength > 0).toBe(expected === 200);
    expect(upstream.requests).toBe(asked);
  });

  it("for what is nowhere kept but has the client's bytes is a 304 all the same", async () => {
    const again = `/thumbnail/_/https://photos.example.com/conditional.jpg?copy`;
    const response = await get(again, { headers: { "if-none-match": etag } });
    expect(response.status).toBe(304);
  });
});

describe("a thumbnail's key", () => {
  it.each([
    ["size", "size=112"],
    ["fit", "fit=cover"],
    ["format", "format=webp"],
    ["quality", "format=webp,quality=30"],
  ])("changes with %s, so that another thumbnail is made", async (_, options) => {
    const response = await get(`/thumbnail/${options}/https://photos.example.com/options.jpg`);
    expect(status(response)).toBe("thumbnet-edge; fwd=miss");
    await response.arrayBuffer();
  });

  it("is the same for the same meaning", async () => {
    const url = "https://photos.example.com/same.jpg";
    await (await get(`/thumbnail/size=56,format=png/${url}`)).arrayBuffer();
    await untilKept(await keyOf(url));
    for (const options of ["_", "format=png", "format=png,size=56", "size%3D56"]) {
      const response = await get(`/thumbnail/${options}/${url}`);
      expect(status(response), options).toBe("thumbnet-edge; hit; detail=edge");
      await response.arrayBuffer();
    }
  });

  it("changes with the model and with the pipeline, and starts with the source", async () => {
    const card = downscalerFor(56, runtime).card;
    const spec = { size: 56, format: "png" } as const;
    const source = { kind: "http", url: "https://photos.example.com/a.jpg" } as const;
    const key = await thumbnailKey(source, spec, card);
    const retrained = await thumbnailKey(source, spec, { ...card, sha256: "0".repeat(64) });
    expect(retrained).not.toBe(key);
    expect(key).toMatch(/^thumbnails\/https:\/\/photos\.example\.com\/a\.jpg\/[0-9a-f]{64}\.png$/);
    expect(PIPELINE_VERSION).toBeGreaterThan(0);
  });

  it("fits R2 however long the source is", async () => {
    const card = downscalerFor(56, runtime).card;
    const url = `https://photos.example.com/${"a".repeat(2000)}`;
    const [one, other] = await Promise.all(
      ["1", "2"].map((end) => thumbnailKey({ kind: "http", url: url + end }, { size: 56, format: "png" }, card)),
    );
    expect(one?.length).toBeLessThanOrEqual(1024);
    expect(one).not.toBe(other);
  });
});

describe("a stale thumbnail", () => {
  const url = "https://photos.example.com/stale.jpg";

  it("is kept while the source says that the original is unchanged, and made anew when it changed", async () => {
    const fetchStale = () => shortLived.fetch(`/thumbnail/_/${url}`);
    const first = await fetchStale();
    const bytes = await bytesOf(first);
    await untilKept(await keyOf(url), shortLived.env.THUMBNAILS);
    const before = upstream.conditional;
    const second = await fetchStale();
    expect([second.status, upstream.conditional]).toEqual([200, before + 1]);
    expect([first, second].map(status)).toEqual(["thumbnet-edge; fwd=miss", "thumbnet-edge; fwd=stale"]);
    expect(await bytesOf(second)).toEqual(bytes);
    Object.assign(upstream, { photo: parachute, etag: '"v2"' });
    const third = await fetchStale();
    expect(status(third)).toBe("thumbnet-edge; fwd=stale");
    expect(third.headers.get("etag")).not.toBe(first.headers.get("etag"));
    expect(await bytesOf(third)).not.toEqual(bytes);
  });
});

describe("a failure", () => {
  const path = "/thumbnail/_/https://down.example.com/a.jpg";
  let up = false;
  let asked = 0;
  let leave: () => void;

  beforeAll(() => {
    leave = serveInternet({
      "down.example.com": () => {
        asked += 1;
        return up ? new Response(church) : new Response("no", { status: 503 });
      },
    });
  });
  afterAll(() => leave());

  it("is remembered for a moment, whatever the options: the source is not asked again", async () => {
    expect((await get(path)).status).toBe(502);
    up = true;
    expect((await get(path)).status).toBe(502);
    expect((await get(path.replace("_", "size=112"))).status).toBe(502);
    expect(asked).toBe(1);
  });

  it("is kept nowhere else: without that moment the source is asked at once", async () => {
    up = false;
    expect((await forgetful.fetch(path)).status).toBe(502);
    up = true;
    expect((await forgetful.fetch(path)).status).toBe(200);
  });
});
