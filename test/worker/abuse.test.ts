/** Limits on clients, owners' requests and the hygiene of every answer. */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LOOP_HEADERS } from "../../src/source/loop.ts";
import { serveInternet, startWorker, type TestWorker } from "./harness.ts";

const OWNER_KEY = "the-owners-key_which.has~32-or-more-characters";
const church = await readFile("examples/photos/church.jpg");

let worker: TestWorker;
let closed: TestWorker;
let leaveInternet: () => void;
let asked: string[] = [];

beforeAll(async () => {
  worker = await startWorker({ SOURCE_HOSTS: "*", SELF_HOSTS: "thumbs.example.com" }, { OWNER_KEY });
  closed = await startWorker({
    SOURCE_HOSTS: "https://photos.example.com/a/",
    CORS_ORIGINS: "https://www.example.com",
  });
  leaveInternet = serveInternet(
    Object.fromEntries(
      ["photos.example.com", "other.example.com", "thumbs.example.com", "127.0.0.1", "localhost", "10.0.0.1"].map(
        (host) => [
          host,
          (request: Request) => {
            asked.push(request.url);
            const target = new URL(request.url).searchParams.get("redirect");
            return target ? new Response(null, { status: 302, headers: { location: target } }) : new Response(church);
          },
        ],
      ),
    ),
  );
});
afterAll(async () => {
  leaveInternet();
  await Promise.all([worker.close(), closed.close()]);
});

async function problem(path: string, init?: RequestInit, from = worker): Promise<[number, string]> {
  const response = await from.fetch(path, init);
  const text = await response.text();
  return [response.status, response.ok ? "" : JSON.parse(text).type.split("/").at(-1)];
}

describe("sources through the Worker", () => {
  it.each([
    ["a private address", "http://10.0.0.1/a.jpg"],
    ["loopback in decimal", "http://2130706433/a.jpg"],
    ["localhost", "http://localhost/a.jpg"],
    ["localhost with a dot", "http://localhost./a.jpg"],
    ["IPv6 loopback", "http://[::1]/a.jpg"],
    ["mapped loopback", "http://[::ffff:127.0.0.1]/a.jpg"],
    ["wildcard DNS", "http://127.0.0.1.nip.io/a.jpg"],
    ["this service", "https://thumbs.example.com/thumbnail/_/https://photos.example.com/a.jpg"],
    ["a redirect to a private address", "https://photos.example.com/?redirect=http://10.0.0.1/"],
    ["a redirect to localhost", "https://photos.example.com/?redirect=http://localhost:80/"],
    ["a redirect to this service", "https://photos.example.com/?redirect=https://thumbs.example.com/"],
    ["a redirect to a file", "https://photos.example.com/?redirect=file:///etc/passwd"],
    ["a redirect with credentials", "https://photos.example.com/?redirect=https://a:b@other.example.com/"],
  ])("%s is refused, and nobody behind it is asked", async (_, source) => {
    asked = [];
    expect(await problem(`/thumbnail/_/${source}`)).toEqual([403, "source-not-allowed"]);
    expect(asked.filter((url) => !url.startsWith("https://photos.example.com/?redirect="))).toEqual([]);
  });

  it.each([
    ["https://photos.example.com/a/b.jpg", 200],
    ["https://photos.example.com/a.jpg", 403],
    ["https://photos.example.com/a/..%2fb.jpg", 403],
    ["http://photos.example.com/a/b.jpg", 403],
    ["https://other.example.com/a/b.jpg", 403],
    ["https://photos.example.com/a/?redirect=https://other.example.com/", 403],
  ])("with a list of one place, %s gives %i", async (source, status) => {
    expect((await problem(`/thumbnail/_/${source}`, {}, closed))[0]).toBe(status);
  });

  it("a redirect to a longer URL than anyone may ask for, as signed ones are, is followed", async () => {
    const target = `https://photos.example.com/a/?token=${"b".repeat(4000)}`;
    const source = "https://photos.example.com/signed";
    const leave = serveInternet({
      "photos.example.com": ({ url }) =>
        url === source ? new Response(null, { status: 302, headers: { location: target } }) : new Response(church),
    });
    expect(await problem(`/thumbnail/_/${source}`)).toEqual([200, ""]);
    expect(await problem(`/thumbnail/_/${target}`)).toEqual([400, "invalid-source"]);
    leave();
  });

  it("with a resolver set, a name that leads inside is refused before it is asked", async () => {
    const careful = await startWorker({ DNS_CHECK: "https://resolver.example.com/dns-query" });
    const addresses: Record<string, string> = { "photos.example.com": "1.1.1.1", "other.example.com": "10.0.0.1" };
    const leave = serveInternet({
      "resolver.example.com": (request) => {
        const query = new URL(request.url).searchParams;
        const data = query.get("type") === "A" ? addresses[query.get("name") ?? ""] : undefined;
        return Response.json({ Status: 0, Answer: data ? [{ type: 1, data }] : [] });
      },
      "photos.example.com": () => new Response(church),
    });
    expect((await problem("/thumbnail/_/https://photos.example.com/a.jpg", {}, careful))[0]).toBe(200);
    expect(await problem("/thumbnail/_/https://other.example.com/a.jpg", {}, careful)).toEqual([
      403,
      "source-not-allowed",
    ]);
    leave();
    await careful.close();
  });

  it("a request that this service made is not served", async () => {
    expect(await problem("/thumbnail/_/https://photos.example.com/a.jpg", { headers: LOOP_HEADERS })).toEqual([
      508,
      "loop-detected",
    ]);
  });
});

describe("the rate limit", () => {
  const from = (ip: string) => ({ "cf-connecting-ip": ip });
  it("ends one client's work for a while, not another's, and not what a cache answers", async () => {
    const kept = "/thumbnail/_/https://photos.example.com/limited.jpg";
    expect((await problem(kept))[0]).toBe(200);
    const upload = (ip: string) =>
      worker.fetch("/thumbnail/_", { method: "POST", body: "no image", headers: from(ip) });
    let served = 0;
    let refused: Response | undefined;
    // The window may end in between, so that two times 600 may pass.
    while (!refused && served <= 1250) {
      for (const response of await Promise.all(Array.from({ length: 50 }, () => upload("203.0.113.7")))) {
        await response.arrayBuffer();
        if (response.status === 415) served += 1;
        else refused = response;
      }
    }
    expect(served).toBeGreaterThanOrEqual(600);
    expect([refused?.status, refused?.headers.get("retry-after")]).toEqual([429, "60"]);
    expect((await upload("203.0.113.8")).status).toBe(415);
    expect((await problem(kept, { headers: from("203.0.113.7") }))[0]).toBe(200);
  });
});

describe("purging", () => {
  const thumbnail = (source: string) => worker.fetch(`/thumbnail/_/https://photos.example.com/${source}`);
  const keys = async () =>
    (await worker.env.THUMBNAILS.list({ prefix: "thumbnails/https://photos.example.com/p" })).objects.length;
  const purge = (source: string, authorization = `Bearer ${OWNER_KEY}`) =>
    worker.fetch(`/cache/${source}`, { method: "DELETE", headers: { authorization } });

  it("forgets the sources below a prefix in both tiers, and no others", async () => {
    for (const source of ["p/1.jpg", "p/2.jpg", "pq/3.jpg"]) await (await thumbnail(source)).arrayBuffer();
    await vi.waitFor(async () => expect(await keys()).toBe(3), { timeout: 5000 });
    await vi.waitFor(async () => {
      const response = await thumbnail("p/1.jpg");
      await response.arrayBuffer();
      expect(response.headers.get("cache-status")).toContain("edge");
    });
    const response = await purge("https://photos.example.com/p/");
    expect(await response.json()).toEqual({ purged: 2, more: false });
    expect(await keys()).toBe(1);
    const again = await thumbnail("p/1.jpg");
    await again.arrayBuffer();
    expect(again.headers.get("cache-status")).toBe("thumbnet-edge; fwd=miss");
  });

  it("of what is not there removes nothing", async () => {
    expect(await (await purge("https://photos.example.com/none/")).json()).toEqual({ purged: 0, more: false });
  });

  it.each([
    ["no key", ""],
    ["another key", "Bearer not-the-owners-key_which.has~32-or-more-chars"],
    ["the key in another scheme", `Basic ${OWNER_KEY}`],
    ["a part of the key", `Bearer ${OWNER_KEY.slice(0, -1)}`],
    ["an empty key", "Bearer "],
  ])("needs the owner's key: %s", async (_, authorization) => {
    const response = await purge("https://photos.example.com/", authorization);
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="thumbnet-edge"']);
    await response.body?.cancel();
  });

  it("does not exist where no owner's key is set", async () => {
    const init = { method: "DELETE", headers: { authorization: "Bearer undefined" } };
    expect(await problem("/cache/https://photos.example.com/", init, closed)).toEqual([401, "unauthorized"]);
  });
});

describe("every answer", () => {
  const REQUESTS: [string, string, RequestInit][] = [
    ["a thumbnail", "/thumbnail/_/https://photos.example.com/a.jpg", {}],
    ["an upload's thumbnail", "/thumbnail/_", { method: "POST", body: church }],
    ["a bad option", "/thumbnail/nonsense/https://photos.example.com/a.jpg", {}],
    ["a bad source", "/thumbnail/_/nonsense", {}],
    ["an unknown path", "/nothing", {}],
    ["a method that is not allowed", "/thumbnail/_/x", { method: "DELETE" }],
    ["the models", "/models", {}],
  ];

  it.each(REQUESTS)("%s cannot be sniffed, framed or run, and has a request id", async (_, path, init) => {
    const response = await worker.fetch(path, init);
    await response.arrayBuffer();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "x-frame-options": "SAMEORIGIN",
      "cross-origin-resource-policy": "cross-origin",
      "x-request-id": expect.stringMatching(/^[\w-]{8,}$/),
    });
    expect(response.headers.has("x-powered-by")).toBe(false);
    if (response.status >= 400) expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("that is an image names a file of its type", async () => {
    const response = await worker.fetch("/thumbnail/format=webp/https://photos.example.com/a.jpg");
    await response.arrayBuffer();
    expect(response.headers.get("content-disposition")).toBe('inline; filename="thumbnail.webp"');
  });

  it.each([
    ["/thumbnail/_/x", "PUT", "GET, HEAD, OPTIONS"],
    ["/thumbnail/_/x", "POST", "GET, HEAD, OPTIONS"],
    ["/thumbnail/_", "PUT", "POST, OPTIONS"],
    ["/classify/_/x", "POST", "GET, HEAD, OPTIONS"],
    ["/cache/https://photos.example.com/", "GET", "DELETE"],
    ["/models", "POST", "GET, HEAD"],
    ["/health", "DELETE", "GET, HEAD"],
  ])("to %s by %s says which methods there are", async (path, method, allow) => {
    const response = await worker.fetch(path, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
    await response.body?.cancel();
  });

  it("may be read by scripts of any page, or of those that the deployment lists", async () => {
    const path = "/thumbnail/_/https://photos.example.com/a/b.jpg";
    const allowed = async (from: TestWorker, origin: string) => {
      const response = await from.fetch(path, { headers: { origin } });
      await response.arrayBuffer();
      return response.headers.get("access-control-allow-origin");
    };
    expect(await allowed(worker, "https://any.example.org")).toBe("*");
    expect(await allowed(closed, "https://www.example.com")).toBe("https://www.example.com");
    expect(await allowed(closed, "https://www.example.com.evil.org")).toBeNull();
  });

  it("lets scripts of web pages read what the client reads of a refusal", async () => {
    const response = await worker.fetch("/thumbnail/size=57/r2:a.jpg", {
      headers: { origin: "https://any.example.org" },
    });
    await response.arrayBuffer();
    const readable = response.headers.get("access-control-expose-headers")?.split(",");
    expect(readable).toEqual(expect.arrayContaining(["retry-after", "x-request-id", "etag"]));
  });

  it("to a preflight needs no signature and does no work", async () => {
    asked = [];
    const headers = { origin: "https://any.example.org", "access-control-request-method": "POST" };
    const response = await worker.fetch("/thumbnail/_", { method: "OPTIONS", headers });
    expect([response.status, response.headers.get("access-control-allow-methods")]).toEqual([
      204,
      expect.stringContaining("POST"),
    ]);
    expect(asked).toEqual([]);
  });
});

it("senders that hold a batch's body back take no more than their share of the isolate", async () => {
  const besieged = await startWorker();
  const { hostname, port } = besieged.url;
  const held = Array.from({ length: 512 }, () => {
    const socket = connect(Number(port), hostname);
    socket.write(`POST /batch HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: 100\r\n\r\n{`);
    return socket;
  });
  const ask = () => problem("/batch", { method: "POST", body: "{}" }, besieged);
  await vi.waitFor(async () => expect(await ask()).toEqual([503, "overloaded"]), { timeout: 20_000, interval: 200 });
  for (const socket of held) socket.destroy();
  await besieged.close();
}, 60_000);
