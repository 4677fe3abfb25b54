/** What a request tells of itself: Server-Timing to its client, a data point to the owner. */
import { readFile } from "node:fs/promises";
import type { R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { BLOBS, DOUBLES } from "../../src/http/data-point.ts";
import { WORKER_DIR } from "./build.ts";
import { startWithOrigin } from "./harness.ts";

const church = new Uint8Array(await readFile("examples/photos/church.jpg"));

interface Point {
  readonly indexes: string[];
  readonly blobs: string[];
  readonly doubles: number[];
}

let harness: TestHarness;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ harness, close } = await startWithOrigin((origin) => [
    {
      configPath: "test/worker/metrics/recorded.toml",
      prebuiltWorkerDir: WORKER_DIR,
      vars: { ALLOW_UNSIGNED: "true", ORIGINS: origin },
    },
    { configPath: "test/worker/metrics/recorder.toml" },
  ]));
  const { ORIGINALS } = await harness.getWorker<{ ORIGINALS: R2Bucket }>().getEnv();
  await ORIGINALS.put("church.jpg", church);
});
afterAll(() => close?.());

/** The answer, with the data point by the names of its columns. */
async function ask(path: string, init: { method: string; body: Uint8Array } | object = {}) {
  const response = await harness.fetch(path, init);
  const body = new Uint8Array(await response.arrayBuffer());
  const points = (await (await harness.getWorker("recorder").fetch("http://recorder/")).json()) as Point[];
  return { response, body, steps: stepsOf(response.headers.get("server-timing")), points: points.map(named) };
}

function named({ indexes, blobs, doubles }: Point) {
  const columns = [
    ...BLOBS.map(({ name }, i) => [name, blobs[i]]),
    ...DOUBLES.map(({ name }, i) => [name, doubles[i]]),
  ];
  return { route: indexes[0], ...Object.fromEntries(columns) };
}

function stepsOf(serverTiming: string | null): string[] {
  return (serverTiming ?? "").split(", ").map((step) => step.split(";")[0] ?? "");
}

test("a thumbnail that is made tells its steps, and one from the cache has none to tell", async () => {
  const made = await ask("/thumbnail/size=56/r2:church.jpg");
  // Steps of less than the clock's millisecond are left out; these two compile their code first.
  expect(made.steps).toEqual(expect.arrayContaining(["cache", "decode", "downscale", "total"]));
  expect(made.points).toMatchObject([
    {
      route: "thumbnail",
      method: "GET",
      tier: "computed",
      problem: "",
      content_type: "image/png",
      status: 200,
      bytes_in: church.length,
      bytes_out: made.body.length,
    },
  ]);
  expect(made.points[0].decode_ms).toBeGreaterThan(0);

  const kept = await ask("/thumbnail/size=56/r2:church.jpg");
  expect(kept.steps.filter((step) => step !== "total")).toEqual(["cache"]);
  expect(kept.response.headers.get("server-timing")).toMatch(/^cache;desc=(edge|r2)(, total;dur=\d+\.\d)?$/);
  expect(kept.points).toMatchObject([
    { tier: /edge|r2/.exec(String(kept.points[0].tier))?.[0], bytes_in: 0, decode_ms: 0 },
  ]);
  expect(Buffer.compare(kept.body, made.body)).toBe(0);
  expect(kept.response.headers.get("etag")).toBe(made.response.headers.get("etag"));
});

test("a classification tells how long the origin took", async () => {
  const { steps, points, body } = await ask("/classify/size=112", { method: "POST", body: church });
  expect(steps).toEqual(expect.arrayContaining(["downscale", "origin", "total"]));
  expect(points).toMatchObject([{ route: "classify", method: "POST", status: 200, bytes_out: body.length }]);
  expect(points[0].origin_ms).toBeGreaterThan(0);
});

test.each([
  ["/thumbnail/size=57/r2:church.jpg", "invalid-options", 400],
  ["/thumbnail/_/r2:none.jpg", "source-not-found", 404],
  ["/classify/_/https://elsewhere.example/a.jpg", "source-not-allowed", 403],
])("%s is counted as %s", async (path, problem, status) => {
  const { points } = await ask(path);
  expect(points).toMatchObject([{ problem, status, tier: "" }]);
});

test("a batch is one point; what makes nothing is none", async () => {
  const items = [{ source: "r2:church.jpg" }];
  expect((await ask("/batch", { method: "POST", body: JSON.stringify({ items }) })).points).toMatchObject([
    { route: "batch", status: 200 },
  ]);
  const health = await ask("/health");
  expect([health.points, health.response.headers.get("server-timing")]).toEqual([[], null]);
});

test("a point is within the limits of Analytics Engine", () => {
  expect(BLOBS.length).toBeLessThanOrEqual(20);
  expect(DOUBLES.length).toBeLessThanOrEqual(20);
});

describe("bound as a deployment does", () => {
  test("points go to a dataset, and answers are the same", async () => {
    const deployed = createTestHarness({
      workers: [{ configPath: "test/worker/metrics/analytics.toml", prebuiltWorkerDir: WORKER_DIR }],
    });
    try {
      await deployed.listen();
      const response = await deployed.fetch("/thumbnail/size=56", { method: "POST", body: church });
      expect(response.status).toBe(200);
      expect(JSON.stringify(deployed.getLogs())).not.toContain("metrics-failed");
    } finally {
      await deployed.close();
    }
  });
});
