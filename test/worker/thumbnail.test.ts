/** The whole path in workerd: photo in, thumbnail out, for every source, format and error. */
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeNpy } from "../../src/imaging/npy.ts";
import { downscalePhoto } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { serveInternet, startWorker, type TestWorker } from "./harness.ts";

const church = await readFile("examples/photos/church.jpg");
const runtime = await nodeRuntime();
const base64Url = (text: string) => Buffer.from(text).toString("base64url");

let worker: TestWorker;
let leaveInternet: () => void;

beforeAll(async () => {
  worker = await startWorker({ PRESETS: '{"archive":"size=112,format=npy"}', MAX_IMAGE_BYTES: "200000" });
  await worker.env.ORIGINALS.put("photos/church.jpg", church);
  await worker.env.ORIGINALS.put("photos/a file+100%.jpg", church);
  leaveInternet = serveInternet({
    "photos.example.com": (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/church.jpg") return new Response(church, { headers: { etag: '"v1"' } });
      if (pathname === "/query" && search === "?id=7&w=1/2") return new Response(church);
      if (pathname === "/moved") return Response.redirect("https://photos.example.com/church.jpg", 302);
      if (pathname === "/to-metadata") return Response.redirect("http://169.254.169.254/latest/meta-data", 302);
      if (pathname === "/page") return new Response("<!doctype html><title>hi</title>", { status: 200 });
      if (pathname === "/large") return new Response(new Uint8Array(200_001));
      if (pathname === "/broken") return new Response("no", { status: 500 });
      return new Response("no", { status: 404 });
    },
  });
});

afterAll(async () => {
  leaveInternet();
  await worker.close();
});

const get = (path: string, headers: Record<string, string> = {}) => worker.fetch(path, { headers });
const post = (options: string, body: Uint8Array<ArrayBuffer> | string) =>
  worker.fetch(`/thumbnail/${options}`, { method: "POST", body });
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

describe("a source", () => {
  it.each([
    ["an https URL", "https://photos.example.com/church.jpg"],
    ["an http URL", "http://photos.example.com/church.jpg"],
    ["a URL whose slashes a proxy folded", "https:/photos.example.com/church.jpg"],
    ["a URL with its own query", "https://photos.example.com/query?id=7&w=1/2"],
    ["a base64url URL", `b64:${base64Url("https://photos.example.com/query?id=7&w=1/2")}`],
    ["a redirect", "https://photos.example.com/moved"],
    ["an R2 key", "r2:photos/church.jpg"],
    ["an R2 key with special characters", "r2:photos/a%20file+100%25.jpg"],
  ])("can be %s", async (_, source) => {
    const response = await get(`/thumbnail/format=npy/${source}`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-npy"]);
    const { data } = decodeNpy(await bytesOf(response));
    expect(data).toEqual((await downscalePhoto(church, { size: 56, format: "npy" }, runtime)).data);
  });
});

describe("the answer", () => {
  it.each([
    ["_", "image/png", 56],
    ["size=112", "image/png", 112],
    ["format=webp", "image/webp", 56],
    ["format=jpeg,quality=50", "image/jpeg", 56],
    ["size=112,format=webp,quality=90", "image/webp", 112],
  ])("to %s is %s of %i pixels", async (options, contentType, size) => {
    const response = await get(`/thumbnail/${options}/r2:photos/church.jpg`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, contentType]);
    const { width, height } = await sharp(await bytesOf(response)).metadata();
    expect([width, height]).toEqual([size, size]);
  });

  it("in PNG has exactly the pixels that the Node path computes", async () => {
    const response = await get("/thumbnail/size=112/r2:photos/church.jpg");
    const pixels = await sharp(await bytesOf(response))
      .raw()
      .toBuffer();
    const expected = await downscalePhoto(church, { size: 112, format: "png" }, runtime);
    expect(new Uint8Array(pixels)).toEqual(expected.data);
  });

  it("loses no more in its lossy formats than libvips does to the same pixels", async () => {
    const expected = (await downscalePhoto(church, { size: 112, format: "png" }, runtime)).data;
    const lossOf = async (file: Uint8Array) => {
      const pixels = await sharp(file).raw().toBuffer();
      return pixels.reduce((sum, value, i) => sum + Math.abs(value - (expected[i] ?? 0)), 0) / pixels.length;
    };
    for (const format of ["webp", "jpeg", "avif"] as const) {
      const response = await get(`/thumbnail/size=112,format=${format},quality=95/r2:photos/church.jpg`);
      const raw = { raw: { width: 112, height: 112, channels: 3 as const } };
      const theirs = await sharp(expected, raw).toFormat(format, { quality: 95 }).toBuffer();
      expect(await lossOf(await bytesOf(response)), format).toBeLessThan(1.2 * (await lossOf(theirs)));
    }
  });

  it("to a preset is that of its options, and options in the URL win over it", async () => {
    const preset = await get("/thumbnail/archive/r2:photos/church.jpg");
    const spelt = await get("/thumbnail/size=112,format=npy/r2:photos/church.jpg");
    expect(await bytesOf(preset)).toEqual(await bytesOf(spelt));
    const overruled = await get("/thumbnail/archive,format=png/r2:photos/church.jpg");
    expect(overruled.headers.get("content-type")).toBe("image/png");
  });

  it.each([
    ["image/webp,image/*", "image/webp"],
    ["image/avif,image/png;q=0.5", "image/png"],
    ["image/webp;q=0, image/png", "image/png"],
    ["image/webp;q=0., image/png", "image/png"],
    ["image/webp;q=0.4, image/png;q=0.5", "image/png"],
    ["image/webp;q=0.4, image/*;q=0.5", "image/png"],
    ["IMAGE/WEBP;q=0.5, image/png;q=0.4, */*", "image/webp"],
    ["image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image/webp"],
    ["*/*", "image/png"],
  ])("to format=auto and Accept: %s is %s, and varies", async (accept, contentType) => {
    const response = await get("/thumbnail/format=auto/r2:photos/church.jpg", { accept });
    expect([response.headers.get("content-type"), response.headers.get("vary")]).toEqual([contentType, "accept"]);
    await response.body?.cancel();
  });

  it("to a squashed and to a cropped photo differs where the photo is not square", async () => {
    const wide = new Uint8Array(await sharp(church).resize(224, 100, { fit: "fill" }).png().toBuffer());
    const [fill, cover] = await Promise.all(["fit=fill", "fit=cover"].map(async (o) => bytesOf(await post(o, wide))));
    expect(fill).not.toEqual(cover);
  });
});

describe("POST", () => {
  it("twice gives byte-identical thumbnails, equal to GET's, and keeps nothing", async () => {
    const [first, second, got] = [
      await post("_", church),
      await post("_", church),
      await get("/thumbnail/_/r2:photos/church.jpg"),
    ];
    expect([first.status, first.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const bytes = await bytesOf(first);
    expect(await bytesOf(second)).toEqual(bytes);
    expect(await bytesOf(got)).toEqual(bytes);
  });
});

describe("a bad request", () => {
  const source = "r2:photos/church.jpg";
  it.each([
    ["an unknown option", `/thumbnail/size=56,colour=red/${source}`, 400, "invalid-options", "colour"],
    ["an option that every object has", `/thumbnail/__proto__=red/${source}`, 400, "invalid-options", "__proto__"],
    ["a size without a model", `/thumbnail/size=57/${source}`, 400, "invalid-options", "56"],
    ["a quality below 1", `/thumbnail/format=webp,quality=0/${source}`, 400, "invalid-options", "quality"],
    ["a quality above 100", `/thumbnail/format=webp,quality=101/${source}`, 400, "invalid-options", "quality"],
    ["a quality that is not a number", `/thumbnail/format=webp,quality=x/${source}`, 400, "invalid-options", "quality"],
    ["a quality of a lossless format", `/thumbnail/format=png,quality=50/${source}`, 400, "invalid-options", "quality"],
    ["an option given twice", `/thumbnail/size=56,size=112/${source}`, 400, "invalid-options", "twice"],
    ["an unknown preset", `/thumbnail/poster/${source}`, 400, "invalid-options", "archive"],
    ["broken percent-encoding", `/thumbnail/size%3/${source}`, 400, "invalid-options", "percent"],
    ["no source", "/thumbnail/_/", 400, "invalid-source", "r2:<key>"],
    ["a relative source", "/thumbnail/_/photo.jpg", 400, "invalid-source", "http(s)"],
    ["another scheme", "/thumbnail/_/ftp://photos.example.com/a.jpg", 400, "invalid-source", "http(s)"],
    ["a data URL", "/thumbnail/_/data:image/png;base64,AAAA", 400, "invalid-source", "http(s)"],
    ["base64 that is none", "/thumbnail/_/b64:!!!!", 400, "invalid-source", "base64url"],
    ["an empty R2 key", "/thumbnail/_/r2:", 400, "invalid-source", "1024"],
    [
      "credentials in the URL",
      "/thumbnail/_/https://me:secret@photos.example.com/a.jpg",
      400,
      "invalid-source",
      "password",
    ],
    ["a loopback address", "/thumbnail/_/http://127.0.0.1/a.jpg", 403, "source-not-allowed", "address"],
    [
      "a redirect to a private address",
      "/thumbnail/_/https://photos.example.com/to-metadata",
      403,
      "source-not-allowed",
      "address",
    ],
    [
      "a source on this very service",
      "/thumbnail/_/http://thumbs.example.net/health",
      403,
      "source-not-allowed",
      "this service",
    ],
    ["a missing R2 original", "/thumbnail/_/r2:photos/none.jpg", 404, "source-not-found", "bucket"],
    ["a missing http original", "/thumbnail/_/https://photos.example.com/none.jpg", 404, "source-not-found", "404"],
    ["a page in place of an image", "/thumbnail/_/https://photos.example.com/page", 415, "unsupported-format", "jpeg"],
    ["a source that fails", "/thumbnail/_/https://photos.example.com/broken", 502, "source-failed", "500"],
    ["a file over the limit", "/thumbnail/_/https://photos.example.com/large", 413, "body-too-large", "200000"],
    ["an unknown address", "/nothing", 404, "not-found", "/nothing"],
  ])("with %s is a problem that says so", async (_, path, status, code, words) => {
    const response = await get(`http://thumbs.example.net${path}`);
    const problem = (await response.json()) as { type: string; status: number; detail: string };
    expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
    expect([problem.type, problem.status]).toEqual([`/problems/${code}`, status]);
    expect(problem.detail.toLowerCase()).toContain(words.toLowerCase());
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it.each([
    ["an empty body", new Uint8Array(), 400, "invalid-request"],
    ["a text", new TextEncoder().encode("hello, this is no image"), 415, "unsupported-format"],
    ["an SVG", new TextEncoder().encode("<svg xmlns='http://www.w3.org/2000/svg'/>"), 415, "unsupported-format"],
    ["half a JPEG", new Uint8Array(church.subarray(0, church.length / 2)), 422, "undecodable-image"],
    ["a body one byte over the limit", new Uint8Array(200_001), 413, "body-too-large"],
    ["a body at the limit that is no image", new Uint8Array(200_000), 415, "unsupported-format"],
  ])("posting %s is a problem", async (_, body, status, code) => {
    const response = await post("_", body);
    expect([response.status, ((await response.json()) as { type: string }).type]).toEqual([
      status,
      `/problems/${code}`,
    ]);
  });

  it("that passed through the service before is refused, to end loops", async () => {
    const response = await get("/health", { "cdn-loop": "thumbnet-edge" });
    expect(response.status).toBe(508);
  });
});

describe("no source", () => {
  it("over http is allowed by default", async () => {
    const closed = await startWorker({ SOURCE_HOSTS: "" });
    const response = await closed.fetch("/thumbnail/_/https://photos.example.com/church.jpg");
    expect(response.status).toBe(403);
    await closed.close();
  });
});

describe("the service", () => {
  it("is healthy, and lists its models with their hashes", async () => {
    expect(await (await get("/health")).json()).toEqual({ status: "ok" });
    const { models } = (await (await get("/models")).json()) as { models: { name: string; sha256: string }[] };
    expect(models.map(({ name }) => name)).toEqual(["downscaler-56", "downscaler-112"]);
    for (const { sha256 } of models) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("sends the headers that keep an image an image", async () => {
    const { headers } = await get("/thumbnail/_/r2:photos/church.jpg");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("x-request-id")).toMatch(/\S/);
  });
});
