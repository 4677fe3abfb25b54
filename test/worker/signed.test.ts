/** Signed URLs through the Worker, and what caches may keep of them. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signPath } from "../../src/client/sign.ts";
import { serveInternet, startWorker, type TestWorker } from "./harness.ts";

const KEY = { id: "web-1", secret: "correct horse battery staple, and 32 bytes" };
const PATH = "/thumbnail/size=56/https://photos.example.com/church.jpg?v=1";
const photo = await readFile("examples/photos/church.jpg");
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);

let worker: TestWorker;
let leaveInternet: () => void;

beforeAll(async () => {
  worker = await startWorker({ ALLOW_UNSIGNED: "false" }, { SIGNING_KEYS: JSON.stringify({ [KEY.id]: KEY.secret }) });
  leaveInternet = serveInternet({ "photos.example.com": () => new Response(photo, { headers: { etag: '"1"' } }) });
});
afterAll(async () => {
  leaveInternet();
  await worker.close();
});

/** Status, problem type and Cache-Control of an answer, whose body is read to the end. */
async function outcome(path: string, init?: RequestInit): Promise<[number, string, string | null]> {
  const response = await worker.fetch(path, init);
  const body = await response.text();
  const type = response.ok ? "" : JSON.parse(body).type.split("/").at(-1);
  return [response.status, type, response.headers.get("cache-control")];
}

describe("a closed Worker", () => {
  it("serves a signed URL, also one with an expiry, by GET and HEAD", async () => {
    const signed = await signPath(PATH, KEY, inSeconds(1000));
    expect((await outcome(signed))[0]).toBe(200);
    const head = await worker.fetch(signed, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect((await outcome(await signPath(PATH, KEY)))[0]).toBe(200);
  });

  it("serves a signed upload", async () => {
    const signed = await signPath("/thumbnail/size=56", KEY, inSeconds(1000));
    expect(await outcome(signed, { method: "POST", body: photo })).toEqual([200, "", "no-store"]);
    expect((await outcome("/thumbnail/size=56", { method: "POST", body: photo }))[0]).toBe(403);
  });

  it.each([
    ["without signature", async () => PATH, "invalid-signature"],
    ["with another source", async () => (await signPath(PATH, KEY)).replace("church", "secret"), "invalid-signature"],
    ["with other options", async () => (await signPath(PATH, KEY)).replace("size=56", "size=112"), "invalid-signature"],
    ["with a lone question mark more", async () => `${await signPath(PATH.slice(0, -4), KEY)}?`, "invalid-signature"],
    ["with its route encoded", async () => (await signPath(PATH, KEY)).replace("/t", "/%74"), "invalid-signature"],
    ["of yesterday", () => signPath(PATH, KEY, inSeconds(-1)), "expired-signature"],
  ])("refuses a URL %s before anything else", async (_, path, problem) => {
    expect(await outcome(await path())).toEqual([403, problem, "no-store"]);
  });

  it("refuses before it reads options and source, so that faults there tell strangers nothing", async () => {
    expect((await outcome("/thumbnail/nonsense/http://127.0.0.1/"))[1]).toBe("invalid-signature");
    expect((await outcome(await signPath("/thumbnail/nonsense/http://127.0.0.1/", KEY)))[1]).toBe("invalid-options");
    expect((await outcome(await signPath("/thumbnail/_/http://127.0.0.1/", KEY)))[1]).toBe("source-not-allowed");
  });
});

describe("what caches may keep", () => {
  it("ends with the signature, and is the usual time if that ends first", async () => {
    const maxAge = async (expires?: Date) => {
      const [, , cacheControl] = await outcome(await signPath(PATH, KEY, expires));
      return Number(cacheControl?.replace("public, max-age=", ""));
    };
    expect(await maxAge(inSeconds(100))).toBeGreaterThan(90);
    expect(await maxAge(inSeconds(100))).toBeLessThanOrEqual(100);
    expect(await maxAge(inSeconds(1_000_000))).toBe(86_400);
    expect(await maxAge()).toBe(86_400);
  });

  it("is nothing in the last second", async () => {
    const [status, , cacheControl] = await outcome(await signPath(PATH, KEY, inSeconds(1.5)));
    expect([status, cacheControl?.replace("max-age=1", "max-age=0")]).toEqual([
      200,
      expect.stringMatching(/no-store|max-age=0/),
    ]);
  });

  it.each([
    ["ends long after what is kept does", 1_000_000, 86_400 - 3],
    ["ends a little after that", 86_399, 86_400 - 3],
    ["ends long before that", 1000, 1000],
    ["ends before the copy is twice as old", 5, 5],
    ["never ends", undefined, 86_400 - 3],
  ])("of a copy of 3 s is what is left of both, if the signature %s", async (_, seconds, left) => {
    const path = PATH.replace("v=1", "v=aged");
    const head = async (expires?: Date) =>
      (await worker.fetch(await signPath(path, KEY, expires), { method: "HEAD" })).headers;
    await vi.waitFor(async () => expect(Number((await head()).get("age"))).toBeGreaterThanOrEqual(3), 10_000);
    const age = Number((await head()).get("age"));
    const headers = await head(seconds === undefined ? undefined : inSeconds(seconds));
    const maxAge = Number(headers.get("cache-control")?.replace("public, max-age=", ""));
    // For caches that do not look at `Age`.
    expect(maxAge).toBeLessThanOrEqual(seconds ?? Number.POSITIVE_INFINITY);
    const fresh = maxAge - Number(headers.get("age"));
    expect(fresh).toBeLessThanOrEqual(Math.min(left, 86_400 - age));
    expect(fresh).toBeGreaterThan(left - 3);
  });

  it("is served to nobody without a signature, however warm the cache is", async () => {
    expect((await outcome(await signPath(PATH, KEY)))[0]).toBe(200);
    expect((await outcome(PATH))[0]).toBe(403);
  });
});

describe("a Worker without keys", () => {
  it("serves nothing and says why", async () => {
    const unset = await startWorker({ ALLOW_UNSIGNED: "false" });
    const response = await unset.fetch(PATH);
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("SIGNING_KEYS")]);
    await unset.close();
  });

  it.each([
    ["a short secret", '{"web-1": "short"}'],
    ["a bad key id", '{"web 1": "correct horse battery staple, and 32 bytes"}'],
    ["no JSON", "correct horse battery staple, and 32 bytes"],
  ])("with %s in its place fails closed, without repeating it", async (_, keys) => {
    const broken = await startWorker({ ALLOW_UNSIGNED: "false" }, { SIGNING_KEYS: keys });
    const response = await broken.fetch(PATH);
    expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining("battery")]);
    await broken.close();
  });
});
