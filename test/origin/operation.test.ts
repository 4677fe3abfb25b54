/** The server as its operator meets it: limits under load, a bearer token, an orderly end, refusals to start. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Exchange } from "./conversations.ts";
import { exchange, type Reply } from "./http.ts";
import { type RunningOrigin, startOrigin, TEST_MODELS } from "./start-origin.ts";

const TOKEN = "a-token-of-some-length";

const inference = (model: string, name: string, data: number[], parameters = {}): Exchange => ({
  method: "POST",
  path: `/v2/models/${model}/infer`,
  body: Buffer.from(
    JSON.stringify({ inputs: [{ name, shape: [1, data.length], datatype: "INT64", data }], parameters }),
  ),
});
const echo = (a: number, b: number) => inference("echo", "number", [a, b]);

/** Rounds of the slow model in a millisecond of this machine. */
let rounds = 1;
beforeAll(async () => {
  const MEASURED = 500;
  await withOrigin([], async ({ port }) => {
    await exchange(port, inference("slow", "times", [1]));
    const start = performance.now();
    await exchange(port, inference("slow", "times", [MEASURED]));
    rounds = MEASURED / (performance.now() - start);
  });
});

/** About that many milliseconds of work. */
const slow = (milliseconds: number, parameters = {}) =>
  inference("slow", "times", [Math.ceil(milliseconds * rounds)], parameters);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "origin-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function withOrigin<T>(args: string[], work: (origin: RunningOrigin) => Promise<T>): Promise<T> {
  const origin = await startOrigin("--models", TEST_MODELS, ...args);
  try {
    return await work(origin);
  } finally {
    await origin.stop();
  }
}

const statuses = (replies: readonly Reply[]) => replies.map(({ status }) => status).sort();

describe("overload", () => {
  test("beyond the longest queue 503, at once, while the rest is served", async () => {
    await withOrigin(["--max-queue", "2"], async ({ port }) => {
      const running = exchange(port, slow(500));
      await pause(100);
      const replies = Promise.all(Array.from({ length: 5 }, () => exchange(port, slow(1))));
      expect(statuses(await replies)).toEqual([200, 200, 503, 503, 503]);
      expect((await running).status).toBe(200);
      expect((await exchange(port, slow(1))).status).toBe(200);
    });
  });

  test("a request waits no longer than the server, or it itself, allows: 503", async () => {
    await withOrigin(["--request-timeout-ms", "300"], async ({ port }) => {
      const running = exchange(port, slow(2000));
      await pause(100);
      const start = performance.now();
      expect((await exchange(port, slow(1, { timeout: 50_000 }))).status).toBe(503);
      const itsOwn = performance.now() - start;
      expect((await exchange(port, slow(1))).status).toBe(503);
      expect(itsOwn).toBeLessThan(performance.now() - start - itsOwn);
      expect((await running).status).toBe(200);
    });
  });

  // The moments in which the queues are full are short, so a busy machine may need another try.
  test("another model's queue does not stop this one's requests from being taken", { retry: 5 }, async () => {
    await withOrigin(["--max-queue", "1"], async ({ port }) => {
      const running = exchange(port, slow(300));
      await pause(100);
      const queued = exchange(port, slow(1));
      await pause(20);
      expect(statuses([await exchange(port, slow(1)), await exchange(port, echo(1, 2))])).toEqual([200, 503]);
      expect(statuses(await Promise.all([running, queued]))).toEqual([200, 200]);
    });
  });

  test("several instances work side by side", async () => {
    await withOrigin(["--instances", "2"], async ({ port }) => {
      const running = exchange(port, slow(1500));
      await pause(100);
      expect((await exchange(port, echo(5, 6))).status).toBe(200);
      expect(await Promise.race([running, "still running"])).toBe("still running");
      await running;
    });
  });
});

describe("the end", () => {
  test("SIGTERM lets what is under way finish, takes nothing new, and exits with 0", async () => {
    const origin = await startOrigin("--models", TEST_MODELS);
    const running = [
      exchange(origin.port, slow(500)),
      exchange(origin.port, slow(500)),
      exchange(origin.port, slow(500)),
    ];
    await pause(150);
    const stopped = origin.stop();
    await pause(50);
    await expect(exchange(origin.port, echo(1, 2))).rejects.toThrow("ECONNREFUSED");
    expect(statuses(await Promise.all(running))).toEqual([200, 200, 200]);
    expect(await stopped).toBe(0);
    expect(origin.errors()).toBe("");
  });

  test("what takes longer than the exit timeout is given up", async () => {
    const origin = await startOrigin("--models", TEST_MODELS, "--exit-timeout-ms", "100");
    const running = exchange(origin.port, slow(5000)).catch((error: Error) => error);
    await pause(150);
    const start = performance.now();
    await origin.stop();
    expect(performance.now() - start).toBeLessThan(2000);
    expect(await running).toBeInstanceOf(Error);
    expect(origin.process.signalCode).toBe("SIGKILL");
    expect(origin.errors()).toMatch("Requests were still under way after 100 ms.");
  });
});

describe("a thread that a batch ends", () => {
  beforeAll(() => {
    const deadly = join(folder, "deadly.mjs");
    writeFileSync(
      deadly,
      `import { existsSync } from "node:fs";
      import { isMainThread, parentPort } from "node:worker_threads";
      if (!isMainThread && existsSync(${JSON.stringify(join(folder, "broken"))})) throw new Error("It does not start.");
      const end = ({ inputs: [{ bytes }] }) => { if (bytes[0] === 66) throw new Error("It ended the thread."); };
      if (!isMainThread) parentPort.on("message", end);`,
    );
    vi.stubEnv("NODE_OPTIONS", `--import ${deadly}`);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  test("is started again, and the next request is answered", async () => {
    await withOrigin(["--instances", "1"], async ({ port }) => {
      for (const [value, status] of [
        [1, 200],
        [66, 500],
        [1, 200],
      ] as const) {
        expect((await exchange(port, echo(value, 2))).status).toBe(status);
      }
    });
  });

  test("keeps no request waiting that another thread can answer, however long it does not start", async () => {
    await withOrigin(["--instances", "2"], async ({ port }) => {
      writeFileSync(join(folder, "broken"), "");
      expect((await exchange(port, echo(66, 2))).status).toBe(500);
      for (let i = 0; i < 3; i++) expect((await exchange(port, echo(1, 2))).status).toBe(200);
      rmSync(join(folder, "broken"));
    });
  });

  test("is not started again once the server is told to end", async () => {
    const origin = await startOrigin("--models", TEST_MODELS, "--instances", "1", "--exit-timeout-ms", "15000");
    expect((await exchange(origin.port, echo(66, 2))).status).toBe(500);
    expect(await origin.stop()).toBe(0);
  });
});

test("models may be links, as volumes and caches have them", async () => {
  symlinkSync(resolve(TEST_MODELS, "echo"), join(folder, "echo"));
  await withOrigin(["--models", folder], async ({ port }) => {
    expect((await exchange(port, echo(1, 2))).status).toBe(200);
  });
});

describe("a bearer token", () => {
  test.each<[string, string, Record<string, string>, number]>([
    ["health needs none", "/v2/health/ready", {}, 200],
    ["the right one", "/v2", { Authorization: `Bearer ${TOKEN}` }, 200],
    ["none", "/v2", {}, 401],
    ["a wrong one", "/v2", { Authorization: `Bearer ${TOKEN}x` }, 401],
    ["metrics are behind it", "/metrics", {}, 401],
  ])("%s", async (_, path, headers, status) => {
    await withOrigin(["--token", TOKEN], async ({ port }) => {
      expect((await exchange(port, { path, headers })).status).toBe(status);
    });
  });
});

describe("it refuses to start", () => {
  test("on a port that is taken, and ends", async () => {
    await withOrigin([], async ({ port }) => {
      await expect(startOrigin("--models", TEST_MODELS, "--port", `${port}`)).rejects.toThrow(/EADDRINUSE/);
    });
  });

  test.each<[string, string[], RegExp]>([
    ["with a wrong setting", ["--instances", "none"], /--instances \(ORIGIN_INSTANCES\)/],
    ["without models", ["--models", "test/oip"], /Expected models with a config.pbtxt in test\/oip/],
    ["with a folder that is not there", ["--models", "nowhere"], /nowhere/],
    [
      "with a provider that this onnxruntime lacks",
      ["--models", TEST_MODELS, "--provider", "coreml"],
      /Expected --provider cpu.*but got coreml/,
    ],
  ])("%s", async (_, args, message) => {
    await expect(startOrigin(...args)).rejects.toThrow(message);
  });
});
