import { once } from "node:events";
import { createGzip, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Problem, type ProblemCode } from "../../src/errors.ts";
import { checkAddresses } from "../../src/source/dns.ts";
import { fetchHttp, type Original, type Validators } from "../../src/source/http.ts";
import { isLoop } from "../../src/source/loop.ts";
import { parseSourceRule, type SourcePolicy } from "../../src/source/policy.ts";
import { REFUSED_HOSTS, REFUSED_URLS } from "./refused-hosts.ts";
import { type Handler, type SourceServer, startSourceServer } from "./source-server.ts";

const FILE = Uint8Array.from({ length: 5000 }, (_, index) => index % 251);
const PHOTO = "https://photos.example.com/a.jpg";

const POLICY: SourcePolicy = {
  rules: [parseSourceRule("*")],
  selfHosts: ["thumbs.example.net"],
  maxBytes: 100_000,
  maxRedirects: 3,
  headerTimeoutMs: 300,
  bodyTimeoutMs: 300,
};

let server: SourceServer;
let handler: Handler;

beforeAll(async () => {
  server = await startSourceServer((...exchange) => handler(...exchange));
});
afterAll(() => server.close());
beforeEach(() => {
  server.asked.length = 0;
});

const get = (policy: Partial<SourcePolicy> = {}, validators: Validators = {}): Promise<Original> =>
  fetchHttp(PHOTO, { ...POLICY, ...policy }, { fetch: server.fetch, validators });

/** The problem's code, or the number of bytes read. */
async function outcome(original: Promise<Original>): Promise<ProblemCode | number> {
  try {
    const result = await original;
    return result.status === "read" ? result.bytes.length : 0;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

const redirectTo =
  (location: string, status = 302): Handler =>
  (url, _, response) => {
    if (url.href !== PHOTO) return void response.end(FILE);
    response.writeHead(status, location === "" ? {} : { location }).end("moved");
  };

test("reads the bytes and the validators", async () => {
  handler = (_, __, response) => {
    response.writeHead(200, { etag: '"v1"', "last-modified": "Tue, 24 Nov 2026 07:00:00 GMT" }).end(FILE);
  };
  expect(await get()).toEqual({
    status: "read",
    bytes: FILE,
    etag: '"v1"',
    lastModified: "Tue, 24 Nov 2026 07:00:00 GMT",
  });
});

test("sends an honest request without credentials, marked against loops", async () => {
  let headers: Record<string, unknown> = {};
  handler = (_, request, response) => {
    headers = request.headers;
    response.end(FILE);
  };
  await get();
  expect(headers).toMatchObject({
    "user-agent": expect.stringContaining("ThumbNet-Edge"),
    "accept-encoding": "identity",
  });
  expect(headers).not.toHaveProperty("cookie");
  expect(headers).not.toHaveProperty("authorization");
  expect(headers).not.toHaveProperty("referer");
  expect(isLoop(new Headers(headers as Record<string, string>))).toBe(true);
});

test.each([
  [{}, false],
  [{ "cdn-loop": "cloudflare; subreqs=1" }, false],
  [{ "cdn-loop": "cloudflare; subreqs=1, thumbnet-edge" }, true],
  [{ "cdn-loop": "thumbnet-edge; v=2" }, true],
  [{ via: "1.1 varnish" }, false],
  [{ via: "1.1 varnish, 1.1 thumbnet-edge (a comment)" }, true],
  [{ via: "1.1 not-thumbnet-edge" }, false],
])("a request with %j has been here before: %s", (headers, expected) => {
  expect(isLoop(new Headers(headers))).toBe(expected);
});

describe("statuses", () => {
  test.each<[number, ProblemCode | number]>([
    [200, 5000],
    [204, "source-failed"],
    [206, "source-failed"],
    [300, "source-failed"],
    [304, "source-failed"],
    [400, "source-failed"],
    [401, "source-refused"],
    [403, "source-refused"],
    [404, "source-not-found"],
    [410, "source-not-found"],
    [429, "source-failed"],
    [451, "source-refused"],
    [500, "source-failed"],
    [503, "source-failed"],
  ])("%i gives %s", async (status, expected) => {
    handler = (_, __, response) =>
      void response.writeHead(status).end(status === 304 || status === 204 ? undefined : FILE);
    expect(await outcome(get())).toBe(expected);
  });

  test("an empty file is a failure of the source", async () => {
    handler = (_, __, response) => void response.end();
    expect(await outcome(get())).toBe("source-failed");
  });
});

describe("validators", () => {
  const versioned: Handler = (_, request, response) => {
    const same = request.headers["if-none-match"] === '"v1"' || request.headers["if-modified-since"] !== undefined;
    response.writeHead(same ? 304 : 200, { etag: '"v1"' }).end(same ? undefined : FILE);
  };

  test.each<[Validators, string]>([
    [{ etag: '"v1"' }, "not-modified"],
    [{ lastModified: "Tue, 24 Nov 2026 07:00:00 GMT" }, "not-modified"],
    [{ etag: '"v0"' }, "read"],
    [{}, "read"],
  ])("with %j the original is %s", async (validators, expected) => {
    handler = versioned;
    expect((await get({}, validators)).status).toBe(expected);
  });

  test.each([["unquoted"], ['"a" x'], [`"${"x".repeat(129)}"`], ['"\u00e9"']])(
    "an entity tag that breaks the grammar is dropped: %j",
    async (etag) => {
      handler = (_, __, response) => void response.writeHead(200, { etag, "last-modified": "yesterday" }).end(FILE);
      expect(Object.keys(await get())).toEqual(["status", "bytes"]);
    },
  );
});

describe("redirects", () => {
  test.each([
    ["an absolute target", "https://cdn.example.org/b.jpg", "https://cdn.example.org/b.jpg"],
    ["a relative target", "/b.jpg?x=1#y", "https://photos.example.com/b.jpg?x=1"],
    ["a target without scheme", "//cdn.example.org/b.jpg", "https://cdn.example.org/b.jpg"],
    ["another scheme that is allowed", "http://photos.example.com/b.jpg", "http://photos.example.com/b.jpg"],
  ])("%s is followed", async (_, location, expected) => {
    handler = redirectTo(location);
    expect(await outcome(get())).toBe(5000);
    expect(server.asked).toEqual([PHOTO, expected]);
  });

  test.each([301, 302, 303, 307, 308])("%i is followed", async (status) => {
    handler = redirectTo("/b.jpg", status);
    expect(await outcome(get())).toBe(5000);
  });

  test.each([
    ["no target", ""],
    ["an invalid target", "https://["],
  ])("%s is a failure of the source", async (_, location) => {
    handler = redirectTo(location);
    expect(await outcome(get())).toBe("source-failed");
    expect(server.asked).toEqual([PHOTO]);
  });

  test("a target says that nothing has changed, though it was not asked that: a failure of the source", async () => {
    handler = (asked, _, response) =>
      void (asked.href === PHOTO
        ? response.writeHead(302, { location: "/b.jpg" }).end()
        : response.writeHead(304, { etag: '"v1"' }).end());
    const reread = get({}, { etag: '"v1"' });
    expect(await reread.catch(({ code }) => code)).toBe("source-failed");
  });

  test("as many as allowed are followed, and not one more", async () => {
    handler = (url, _, response) => {
      const left = Number(url.searchParams.get("left") ?? "4");
      if (left === 0) return void response.end(FILE);
      response.writeHead(302, { location: `/a.jpg?left=${left - 1}` }).end();
    };
    expect(await outcome(get({ maxRedirects: 4 }))).toBe(5000);
    expect(server.asked).toHaveLength(5);
    server.asked.length = 0;
    expect(await outcome(get({ maxRedirects: 3 }))).toBe("source-failed");
    expect(server.asked).toHaveLength(4);
  });

  test("a redirect to itself ends", async () => {
    handler = (_, __, response) => void response.writeHead(302, { location: PHOTO }).end();
    expect(await outcome(get())).toBe("source-failed");
  });

  test("no validators' answer of a redirecting hop is taken for the original's", async () => {
    handler = redirectTo("http://127.0.0.1/");
    expect(await outcome(get({}, { etag: '"v1"' }))).toBe("source-not-allowed");
  });

  test("validators are asked about and kept for the first URL alone, for a redirect may lead elsewhere tomorrow", async () => {
    const conditions: (string | undefined)[] = [];
    handler = (url, request, response) => {
      conditions.push(request.headers["if-none-match"]);
      if (url.href === PHOTO) response.writeHead(302, { location: "https://b.example.com/" }).end();
      else response.writeHead(200, { etag: '"1"' }).end("photo");
    };
    expect(await get({}, { etag: '"1"' })).not.toHaveProperty("etag");
    expect(conditions).toEqual(['"1"', undefined]);
  });

  // Header values carry bytes: what is not ASCII travels as a browser would send it, as UTF-8.
  const asHeader = (text: string) => Buffer.from(text.replace(/[\n\t]/g, ""), "utf8").toString("latin1");
  const targets = [...REFUSED_HOSTS.map((host) => `https://${host}/photo.jpg`), ...REFUSED_URLS];

  test.each(targets)("a redirect to %j is never followed", async (target) => {
    handler = redirectTo(asHeader(target));
    await outcome(get());
    // Some are relative paths in disguise, and may lead to where the service already was.
    expect(server.asked.filter((url) => !url.startsWith("https://photos.example.com/"))).toEqual([]);
    expect(server.asked).toContain(PHOTO);
  });

  test("the second redirect is checked like the first", async () => {
    handler = (url, _, response) =>
      void response
        .writeHead(302, { location: url.href === PHOTO ? "https://b.example.com/" : "http://10.0.0.1/" })
        .end();
    expect(await outcome(get())).toBe("source-not-allowed");
    expect(server.asked).toEqual([PHOTO, "https://b.example.com/"]);
  });

  test("a redirect out of the rules is not followed, even to a public host", async () => {
    handler = redirectTo("https://elsewhere.example.org/b.jpg");
    expect(await outcome(get({ rules: [parseSourceRule("https://photos.example.com")] }))).toBe("source-not-allowed");
    expect(server.asked).toEqual([PHOTO]);
  });
});

describe("limits on bytes", () => {
  test.each<[string, number, ProblemCode | number]>([
    ["at the limit", 5000, 5000],
    ["one byte below", 4999, "body-too-large"],
  ])("a file %s", async (_, maxBytes, expected) => {
    handler = (_, __, response) => void response.end(FILE);
    expect(await outcome(get({ maxBytes }))).toBe(expected);
    handler = (_, __, response) => {
      response.write(FILE.subarray(0, 1000));
      response.end(FILE.subarray(1000));
    };
    expect(await outcome(get({ maxBytes }))).toBe(expected);
  });

  test("an announced size over the limit is refused before a byte of it is read", async () => {
    handler = (_, __, response) => {
      response.writeHead(200, { "content-length": "100001" });
      response.flushHeaders();
    };
    expect(await outcome(get({ bodyTimeoutMs: 10_000 }))).toBe("body-too-large");
  });

  test("a Content-Length larger than the body is a failure of the source", async () => {
    handler = (_, __, response) => {
      response.writeHead(200, { "content-length": "6000" });
      response.write(FILE, () => response.socket?.destroy());
    };
    expect(await outcome(get())).toBe("source-failed");
  });

  test("an endless body is cut at the limit and the connection closed", async () => {
    let closed: Promise<unknown> = Promise.resolve();
    handler = (_, __, response) => {
      closed = once(response, "close");
      const pump = () => {
        while (!response.destroyed && response.write(FILE));
        if (!response.destroyed) response.once("drain", pump);
      };
      pump();
    };
    expect(await outcome(get({ bodyTimeoutMs: 10_000 }))).toBe("body-too-large");
    await closed;
  });

  test("a compressed body is read, counted as decompressed", async () => {
    const gzipped = gzipSync(FILE);
    handler = (_, __, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipped);
    expect(await outcome(get({ maxBytes: 5000 }))).toBe(5000);
    expect(await outcome(get({ maxBytes: 4999 }))).toBe("body-too-large");
  });

  test("a compression bomb is cut at the limit", async () => {
    handler = (_, __, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      const gzip = createGzip({ level: 9 });
      gzip.pipe(response);
      response.once("close", () => gzip.destroy());
      for (let megabyte = 0; megabyte < 50; megabyte++) gzip.write(Buffer.alloc(1024 * 1024));
      gzip.end();
    };
    expect(await outcome(get({ bodyTimeoutMs: 10_000 }))).toBe("body-too-large");
  });

  test("a broken compressed body is a failure of the source", async () => {
    handler = (_, __, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(FILE);
    expect(await outcome(get())).toBe("source-failed");
  });
});

describe("limits on time", () => {
  test("a source that never answers", async () => {
    handler = () => {};
    expect(await outcome(get())).toBe("source-timeout");
  });

  test("a chain of slow redirects, all together", async () => {
    handler = (_, __, response) =>
      void setTimeout(() => response.writeHead(302, { location: `/${Math.random()}` }).end(), 150);
    expect(await outcome(get({ maxRedirects: 50 }))).toBe("source-timeout");
  });

  test("a body that stops", async () => {
    handler = (_, __, response) => void response.write(FILE);
    expect(await outcome(get())).toBe("source-timeout");
  });

  test("a body that trickles", async () => {
    handler = (_, __, response) => {
      const timer = setInterval(() => response.write("x"), 20);
      response.once("close", () => clearInterval(timer));
    };
    expect(await outcome(get())).toBe("source-timeout");
  });

  test("a source that hangs up", async () => {
    handler = (_, __, response) => void response.socket?.destroy();
    expect(await outcome(get())).toBe("source-failed");
  });
});

describe("looking up the host first", () => {
  const resolver = (records: Record<string, string[]>) =>
    checkAddresses("https://resolver.example/dns-query", async (url) => {
      const query = new URL(url).searchParams;
      const type = query.get("type") === "A" ? 1 : 28;
      const answers = records[`${query.get("name")} ${query.get("type")}`] ?? [];
      // A CNAME comes first in real answers.
      const alias = { type: 5, data: "alias.example.com." };
      return Response.json({ Status: 0, Answer: [alias, ...answers.map((data) => ({ type, data }))] });
    });
  const lookUp = (records: Record<string, string[]>, rule = "*") =>
    outcome(
      fetchHttp(
        PHOTO,
        { ...POLICY, rules: [parseSourceRule(rule)] },
        { fetch: server.fetch, checkHost: resolver(records) },
      ),
    );

  test.each<[string, Record<string, string[]>, ProblemCode | number]>([
    ["public addresses", { "photos.example.com A": ["1.1.1.1"], "photos.example.com AAAA": ["2606:4700::1111"] }, 5000],
    ["a private address", { "photos.example.com A": ["10.0.0.1"] }, "source-not-allowed"],
    [
      "one private address among public ones",
      { "photos.example.com A": ["1.1.1.1", "127.0.0.1"] },
      "source-not-allowed",
    ],
    [
      "a private IPv6 address",
      { "photos.example.com A": ["1.1.1.1"], "photos.example.com AAAA": ["::1"] },
      "source-not-allowed",
    ],
    ["an answer that is no address", { "photos.example.com A": ["nonsense"] }, "source-not-allowed"],
    ["no address", {}, "source-failed"],
  ])("%s", async (_, records, expected) => {
    handler = (_, __, response) => void response.end(FILE);
    expect(await lookUp(records)).toBe(expected);
    expect(server.asked).toHaveLength(expected === 5000 ? 1 : 0);
  });

  test("a host that a rule spells out is not looked up", async () => {
    handler = (_, __, response) => void response.end(FILE);
    expect(await lookUp({ "photos.example.com A": ["10.0.0.1"] }, "photos.example.com")).toBe(5000);
  });

  test("a redirect's host is looked up too", async () => {
    handler = redirectTo("https://inside.example.org/");
    const records = { "photos.example.com A": ["1.1.1.1"], "inside.example.org A": ["192.168.0.1"] };
    expect(await lookUp(records)).toBe("source-not-allowed");
    expect(server.asked).toEqual([PHOTO]);
  });

  test("a resolver that fails is a failure of the source", async () => {
    const checkHost = checkAddresses(
      "https://resolver.example/dns-query",
      async () => new Response("", { status: 500 }),
    );
    expect(await outcome(fetchHttp(PHOTO, POLICY, { fetch: server.fetch, checkHost }))).toBe("source-failed");
  });
});
