/** Caches that fail, lie, hang or are attacked: every answer is right or an honest refusal, and nothing wrong is kept. */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { thumbnailKey } from "../../src/cache/key.ts";
import { downscalerFor } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { FAULTY_WORKER_DIR } from "./build.ts";
import { serveInternet, startWorker, type TestWorker } from "./harness.ts";

const church = await readFile("examples/photos/church.jpg");
const parachute = await readFile("examples/photos/parachute.jpg");
const runtime = await nodeRuntime();

let worker: TestWorker;
let stale: TestWorker;
let leaveInternet: () => void;
let right: Uint8Array;
let upstream: { photo: Uint8Array<ArrayBuffer>; status: number; requests: number };

beforeAll(async () => {
  worker = await startWorker({}, {}, FAULTY_WORKER_DIR);
  stale = await startWorker({ CACHE_MAX_AGE: "0", FAILURE_MAX_AGE: "0" }, {}, FAULTY_WORKER_DIR);
  upstream = { photo: church, status: 200, requests: 0 };
  leaveInternet = serveInternet({
    "photos.example.com": async () => {
      upstream.requests += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return new Response(upstream.photo, { status: upstream.status, headers: { etag: `"${upstream.photo.length}"` } });
    },
  });
  right = (await get("reference.jpg")).bytes;
});
afterAll(async () => {
  leaveInternet();
  await Promise.all([worker.close(), stale.close()]);
});

interface Got {
  status: number;
  bytes: Uint8Array;
  cache: string | null;
}

async function get(name: string, faults = "", from = worker): Promise<Got> {
  const response = await from.fetch(`/thumbnail/_/https://photos.example.com/${name}`, {
    headers: { "x-faults": faults },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, bytes, cache: response.headers.get("cache-status") };
}

const keyOf = (name: string) =>
  thumbnailKey(
    { kind: "http", url: `https://photos.example.com/${name}` },
    { size: 56, format: "png" },
    downscalerFor(56, runtime).card,
  );

const untilKept = async (name: string, { env } = worker) => {
  const key = await keyOf(name);
  await vi.waitFor(async () => expect(await env.THUMBNAILS.head(key)).not.toBeNull(), { timeout: 5000 });
};

describe("with no copy anywhere", () => {
  it.each([
    "r2.get=throw",
    "r2.get=hang",
    "r2.put=throw",
    "r2.put=hang",
    "edge.match=throw",
    "edge.match=hang",
    "edge.put=throw",
  ])("%s costs nothing but time", async (faults) => {
    expect(await get(`cold-${faults}.jpg`, faults)).toMatchObject({ status: 200, bytes: right });
  });

  it("all of them at once cost nothing but time, and nothing is kept", async () => {
    const all = "r2.get=throw, r2.put=throw, edge.match=throw, edge.put=throw";
    expect(await get("dark.jpg", all)).toMatchObject({ status: 200, bytes: right });
    expect(await worker.env.THUMBNAILS.head(await keyOf("dark.jpg"))).toBeNull();
    expect((await get("dark.jpg")).cache).toContain("fwd=miss");
  });
});

describe("with a copy in R2", () => {
  it.each(["throw", "hang", "corrupt", "truncate", "lose"])(
    "that comes by %s, the thumbnail is made anew",
    async (kind) => {
      const name = `r2-${kind}.jpg`;
      await get(name);
      await untilKept(name);
      const again = await get(name, `r2.get=${kind}, edge.match=lose`);
      expect(again).toMatchObject({ status: 200, bytes: right, cache: "thumbnet-edge; fwd=miss" });
      expect(await get(name, "edge.match=lose")).toMatchObject({ bytes: right });
    },
  );

  it.each([
    ["the client's own, the body is not read", (etag: string) => etag, "thumbnet-edge; hit"],
    [
      "one of two that the client has, the body is read",
      (etag: string) => `"other", ${etag}`,
      "thumbnet-edge; fwd=miss",
    ],
  ])("that is %s", async (kind, tags, cache) => {
    const name = `conditional-${kind.length}.jpg`;
    const etag = (await worker.fetch(`/thumbnail/_/https://photos.example.com/${name}`)).headers.get("etag") ?? "";
    await untilKept(name);
    // Damage that is only found by who reads the bytes.
    const response = await worker.fetch(`/thumbnail/_/https://photos.example.com/${name}`, {
      headers: { "if-none-match": tags(etag), "x-faults": "r2.get=corrupt, edge.match=lose" },
    });
    expect(response.status).toBe(304);
    expect(response.headers.get("cache-status")).toContain(cache);
  });

  it("that is not one of ours, the thumbnail is made anew and put right", async () => {
    await get("foreign.jpg");
    await untilKept("foreign.jpg");
    await worker.env.THUMBNAILS.put(await keyOf("foreign.jpg"), "something else");
    expect(await get("foreign.jpg", "edge.match=lose")).toMatchObject({ status: 200, bytes: right });
  });
});

describe("with a copy at the edge", () => {
  it.each(["throw", "hang", "corrupt", "truncate", "lose"])("that comes by %s, R2's copy is served", async (kind) => {
    const name = `edge-${kind}.jpg`;
    await get(name);
    await untilKept(name);
    await vi.waitFor(async () => expect((await get(name)).cache).toContain("edge"), { timeout: 5000 });
    const again = await get(name, `edge.match=${kind}`);
    expect(again).toMatchObject({ status: 200, bytes: right, cache: "thumbnet-edge; hit; detail=r2" });
  });
});

describe("a stale copy", () => {
  it.each([500, 503, 429])("is served while the source answers %i, and not kept as fresh", async (status) => {
    const name = `stale-${status}.jpg`;
    await get(name, "", stale);
    await untilKept(name, stale);
    upstream.status = status;
    const served = await get(name, "", stale);
    upstream.status = 200;
    expect(served).toMatchObject({ status: 200, bytes: right, cache: "thumbnet-edge; fwd=stale; detail=r2" });
    const asked = upstream.requests;
    await get(name, "", stale);
    expect(upstream.requests).toBe(asked + 1);
  });

  it.each([
    [404, 404],
    [410, 404],
    [401, 502],
    [403, 502],
    [451, 502],
  ])("is not served when the source says %i: the owner took it away", async (status, answered) => {
    const name = `gone-${status}.jpg`;
    await get(name, "", stale);
    await untilKept(name, stale);
    upstream.status = status;
    const served = await get(name, "", stale);
    upstream.status = 200;
    expect(served.status).toBe(answered);
  });

  it.each([404, 410, 403])("does not come back with any options when the source fails after a %i", async (gone) => {
    const name = `withdrawn-${gone}.jpg`;
    const small = `/thumbnail/size=56/https://photos.example.com/${name}`;
    const others = [small.replace("56", "112"), `${small}.jpg`, `${small}/beside.jpg`];
    const statuses = async (paths: string[]) => {
      const answers = await Promise.all(paths.map((path) => stale.fetch(path)));
      await Promise.all(answers.map((answer) => answer.arrayBuffer()));
      return answers.map(({ status }) => status);
    };
    const kept = async () =>
      (await stale.env.THUMBNAILS.list({ prefix: `thumbnails/https://photos.example.com/${name}` })).objects.length;
    expect(await statuses([small, ...others])).toEqual([200, 200, 200, 200]);
    await vi.waitFor(async () => expect(await kept()).toBe(4), { timeout: 5000 });
    upstream.status = gone;
    const withdrawn = await statuses([small]);
    await vi.waitFor(async () => expect(await kept()).toBe(2), { timeout: 5000 });
    upstream.status = 503;
    const afterwards = await statuses([small, ...others]);
    upstream.status = 200;
    // Sources that only begin with the same name are still there.
    expect([withdrawn, afterwards]).toEqual([[gone === 403 ? 502 : 404], [502, 502, 200, 200]]);
  });

  it("is replaced when the source changes under us", async () => {
    await get("changing.jpg", "", stale);
    await untilKept("changing.jpg", stale);
    upstream.photo = parachute;
    const changed = await get("changing.jpg", "", stale);
    upstream.photo = church;
    expect(changed.status).toBe(200);
    expect(changed.bytes).not.toEqual(right);
    expect((await get("changing.jpg", "", stale)).bytes).toEqual(right);
  });
});

describe("a thumbnail that is written after its original is", () => {
  it.each(["deleted", "replaced"])("%s, and after the queue was told of that, is not kept", async (how) => {
    const key = `${how}.jpg`;
    const at = await thumbnailKey({ kind: "r2", key }, { size: 56, format: "png" }, downscalerFor(56, runtime).card);
    const ask = async (from: TestWorker, headers = {}) => {
      const response = await from.fetch(`/thumbnail/_/r2:${key}`, { headers });
      await response.arrayBuffer();
      return response.headers.get("etag");
    };
    // Once made of the original, and once a stale one that was found unchanged.
    for (const from of [worker, stale]) {
      await from.env.ORIGINALS.put("newer.jpg", parachute);
      await from.env.ORIGINALS.put(key, church);
      const etag = from === stale ? await ask(stale) : undefined;
      if (etag) await vi.waitFor(async () => expect(await from.env.THUMBNAILS.head(at)).not.toBeNull(), 5000);
      const overtaken = await ask(from, { "x-meanwhile": `${how} ${key}` });
      expect(overtaken).toBe(etag ?? overtaken);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const kept = (await from.env.THUMBNAILS.head(at))?.httpEtag;
      expect.soft([kept, await ask(from)]).not.toContain(overtaken);
    }
  });
});

describe("a thundering herd", () => {
  it("on one URL costs one request to the source and one computation", async () => {
    upstream.requests = 0;
    const answers = await Promise.all(Array.from({ length: 40 }, () => get("herd.jpg")));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, bytes: right });
    expect(upstream.requests).toBe(1);
  });

  it("that goes on while R2 still writes the answer costs nothing more", async () => {
    upstream.requests = 0;
    await get("slow-herd.jpg", "r2.put=hang, edge.put=throw");
    expect(await get("slow-herd.jpg")).toMatchObject({ status: 200, bytes: right });
    expect(upstream.requests).toBe(1);
  });

  it("on a bad source costs one request as well", async () => {
    Object.assign(upstream, { requests: 0, status: 500 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => get("bad-herd.jpg")));
    upstream.status = 200;
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(502));
    expect(upstream.requests).toBe(1);
  });

  it("is served to the end when the one who came first leaves", async () => {
    upstream.requests = 0;
    const leaving = new AbortController();
    const first = worker
      .fetch("/thumbnail/_/https://photos.example.com/leaving.jpg", { signal: leaving.signal })
      .catch(() => "left");
    await vi.waitFor(() => expect(upstream.requests).toBe(1));
    const others = Array.from({ length: 5 }, () => get("leaving.jpg"));
    await new Promise((resolve) => setTimeout(resolve, 10));
    leaving.abort();
    for (const other of await Promise.all(others)) expect(other).toMatchObject({ status: 200, bytes: right });
    expect(await first).toBe("left");
    expect(upstream.requests).toBe(1);
  });

  it("of many URLs is served to the last one", async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => get(`crowd-${index}.jpg`)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, bytes: right });
  });
});

describe("clients that leave", () => {
  it.each([0, 20, 100, 300, 600])("%i ms into the very first request leave the next one what it needs", async (ms) => {
    const cold = await startWorker();
    const leaving = new AbortController();
    const first = cold
      .fetch("/thumbnail/_", { method: "POST", body: church, signal: leaving.signal })
      .catch(() => "left");
    await new Promise((resolve) => setTimeout(resolve, ms));
    leaving.abort();
    const next = await Promise.all(
      [1, 2, 3].map(async () => {
        const response = await cold.fetch("/thumbnail/_", { method: "POST", body: church });
        return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
      }),
    );
    expect(next).toEqual(Array(3).fill({ status: 200, bytes: right }));
    await first;
    await cold.close();
  });

  it("in great number leave room for others", async () => {
    for (let round = 0; round < 30; round++) {
      const leaving = new AbortController();
      const gone = worker
        .fetch("/thumbnail/_", { method: "POST", body: church, signal: leaving.signal })
        .catch(() => {});
      setTimeout(() => leaving.abort(), round);
      await gone;
    }
    const answers = await Promise.all(Array.from({ length: 5 }, (_, index) => get(`after-${index}.jpg`)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, bytes: right });
  });

  it("without having sent their whole body hold up nobody", async () => {
    for (let client = 0; client < 30; client++) {
      const socket = connect(Number(worker.url.port), worker.url.hostname);
      socket.on("error", () => {});
      socket.write("POST /thumbnail/_ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n");
      socket.write(church.subarray(0, 5000));
      setTimeout(() => socket.destroy(), 200 + client);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await get("after-halves.jpg")).toMatchObject({ status: 200, bytes: right });
  });
});

it("no fault's detail leaves the service, but the log has it", async () => {
  worker.harness.clearLogs();
  const { bytes } = await get("quiet.jpg", "r2.get=throw");
  expect(new TextDecoder("latin1").decode(bytes)).not.toContain("internal detail");
  expect(JSON.stringify(worker.harness.getLogs())).toContain("internal detail");
});
