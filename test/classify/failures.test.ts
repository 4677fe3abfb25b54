/** What the Worker answers while its origin is ill: in time, as what it is, with thumbnails unaffected and by itself well again. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { signPath } from "../../src/client/sign.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { type Answer, type FaultyOrigin, faultyOrigin, sendJson } from "./faulty-origin.ts";

const TIMEOUT_MS = 1500;
const problem = z.object({ type: z.string(), detail: z.string() });

/** Passes everything on to the real one. */
const healthy: Answer = async (request, response, body) => {
  const { method = "GET", headers } = request;
  const length = headers["inference-header-content-length"];
  const answer = await fetch(`${embedded.url}${request.url}`, {
    method,
    ...(method === "POST" && { body: new Uint8Array(body) }),
    headers: typeof length === "string" ? { "inference-header-content-length": length } : {},
  });
  const kept = ["content-type", "inference-header-content-length"].flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  response.writeHead(answer.status, Object.fromEntries(kept)).end(Buffer.from(await answer.arrayBuffer()));
};

let embedded: RunningOrigin;
let front: FaultyOrigin;
let worker: TestWorker;
let behaviour: Answer = healthy;
const authorizations: (string | undefined)[] = [];
beforeAll(async () => {
  embedded = await startOrigin();
  front = await faultyOrigin((request, response, body) => {
    authorizations.push(request.headers.authorization);
    return behaviour(request, response, body);
  });
  const limits = { ORIGINS: front.url, ORIGIN_TIMEOUT_MS: String(TIMEOUT_MS), ORIGIN_RETRIES: "1" };
  worker = await startWorker(limits, { ORIGIN_AUTHORIZATION: "Bearer of-the-origin" });
});
afterAll(async () => {
  await worker.close();
  await front.close();
  await embedded.stop();
});

const photo = await readFile("test/fixtures/photos/zebra.jpg");
let variant = 0;
/** A picture that no cache knows. */
const fresh = () => {
  variant += 1;
  const npy = encodeThumbnail(variant);
  return { method: "POST", body: npy };
};

describe("classification fails as what it is, within its time", () => {
  const faults: [string, Answer, number, string][] = [
    [
      "another model",
      (request, response, body) =>
        request.url?.includes("/models/")
          ? sendJson(response, 200, { name: "student-56", platform: "x", inputs: [], outputs: [] })
          : healthy(request, response, body),
      502,
      "origin-failed",
    ],
    [
      "no such model",
      (_, response) => sendJson(response, 404, { error: "Request for unknown model" }),
      502,
      "origin-failed",
    ],
    ["gone", (request) => void request.socket.destroy(), 502, "origin-failed"],
    [
      "an error",
      (_, response) => sendJson(response, 500, { error: "/etc/secret" }, "text/plain"),
      502,
      "origin-failed",
    ],
    ["garbage", (_, response) => void response.end("\0\xff garbage"), 502, "origin-failed"],
    [
      "overloaded",
      (_, response) => sendJson(response, 503, { error: "Exceeds maximum queue size" }),
      503,
      "origin-overloaded",
    ],
    ["silent", () => {}, 504, "origin-timeout"],
  ];
  test.each(faults)("%s", async (_, fault, status, code) => {
    behaviour = fault;
    const start = performance.now();
    const failed = await worker.fetch("/classify/_", fresh());
    expect(performance.now() - start).toBeLessThan(TIMEOUT_MS + 1500);
    const { type, detail } = problem.parse(await failed.json());
    expect([failed.status, type]).toEqual([status, `/problems/${code}`]);
    expect(failed.headers.get("content-type")).toBe("application/problem+json");
    expect(failed.headers.get("retry-after")).toBe(status === 503 ? "1" : null);
    expect(detail).not.toMatch(/secret|127\.0\.0\.1|student/);

    const thumbnail = await worker.fetch("/thumbnail/size=56", { method: "POST", body: photo });
    expect([thumbnail.status, (await thumbnail.arrayBuffer()).byteLength > 1000]).toEqual([200, true]);

    behaviour = healthy;
    const recovered = await worker.fetch("/classify/_", fresh());
    expect(recovered.status, await recovered.text()).toBe(200);
  });

  test("an origin that fails again and again is left alone, and asked again after a pause", async () => {
    behaviour = (request) => void request.socket.destroy();
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const response = await worker.fetch("/classify/_", fresh());
      statuses.push(response.status);
      await response.text();
    }
    expect(statuses[0]).toBe(502);
    expect(statuses.at(-1)).toBe(503);
    const asked = front.asked.length;
    await (await worker.fetch("/classify/_", fresh())).text();
    expect(front.asked.length).toBe(asked);
    behaviour = healthy;
    await new Promise((resolve) => setTimeout(resolve, 5200));
    expect((await worker.fetch("/classify/_", fresh())).status).toBe(200);
  });

  test("every request to the origin carried the secret header", () => {
    expect(new Set(authorizations)).toEqual(new Set(["Bearer of-the-origin"]));
  });
});

test("a tunnel that says that the origin is away is asked again", async () => {
  let asked = 0;
  behaviour = (request, response, body) => {
    if (!request.url?.endsWith("/infer")) return healthy(request, response, body);
    asked += 1;
    return asked === 1 ? sendJson(response, 530, {}) : healthy(request, response, body);
  };
  const response = await worker.fetch("/classify/_", fresh());
  expect([response.status, asked], await response.text()).toEqual([200, 2]);
  behaviour = healthy;
});

test("a failed item of a batch names the origin's fault, and its cause is in the log", async () => {
  await worker.env.ORIGINALS.put("zebra.jpg", photo);
  behaviour = (_, response) => sendJson(response, 500, {});
  const body = JSON.stringify({ items: [{ source: "r2:zebra.jpg" }] });
  const response = await worker.fetch("/batch", { method: "POST", body });
  expect(JSON.parse(await response.text())).toMatchObject({ index: 0, status: 502, type: "/problems/origin-failed" });
  const log = JSON.stringify(worker.harness.getLogs());
  expect(log).toContain(response.headers.get("x-request-id"));
  expect(log).toMatch(/item: 0[\s\S]*Status 500/);
  behaviour = healthy;
});

test("without an origin the rest works, and classification says what is missing", async () => {
  const alone = await startWorker();
  try {
    const response = await alone.fetch("/classify/_", fresh());
    expect([response.status, problem.parse(await response.json()).type]).toEqual([503, "/problems/origin-missing"]);
    const thumbnail = await alone.fetch("/thumbnail/_", { method: "POST", body: photo });
    expect(thumbnail.status).toBe(200);
    await thumbnail.arrayBuffer();
  } finally {
    await alone.close();
  }
});

test("where URLs are signed, classification is for signed ones alone, each item of a batch by itself", async () => {
  const key = { id: "k", secret: "0123456789abcdef0123456789abcdef" };
  const secrets = { SIGNING_KEYS: JSON.stringify({ [key.id]: key.secret }) };
  const closed = await startWorker({ ORIGINS: embedded.url, ALLOW_UNSIGNED: "false" }, secrets);
  try {
    await closed.env.ORIGINALS.put("zebra.jpg", photo);
    const signed = await signPath("/classify/top=1/r2:zebra.jpg", key);
    const [ok, unsigned, altered] = [
      await closed.fetch(signed),
      await closed.fetch("/classify/top=1/r2:zebra.jpg"),
      await closed.fetch(signed.replace("top=1", "top=2")),
    ];
    expect([ok.status, unsigned.status, altered.status]).toEqual([200, 403, 403]);
    await Promise.all([ok.text(), unsigned.text(), altered.text()]);

    const [, , options = ""] = signed.split("/");
    const items = [
      { source: "r2:zebra.jpg", options },
      { source: "r2:zebra.jpg", options: "top=1" },
      { source: "r2:other.jpg", options },
    ];
    const batch = await closed.fetch("/batch", { method: "POST", body: JSON.stringify({ items }) });
    const lines = (await batch.text())
      .trimEnd()
      .split("\n")
      .map((text) => z.object({ index: z.int(), status: z.int() }).parse(JSON.parse(text)));
    expect(lines.sort((a, b) => a.index - b.index).map(({ status }) => status)).toEqual([200, 403, 403]);
  } finally {
    await closed.close();
  }
});

/** An npy file of a thumbnail that differs from all others. */
function encodeThumbnail(seed: number): Uint8Array<ArrayBuffer> {
  const text = "{'descr': '|u1', 'fortran_order': False, 'shape': (56, 56, 3), }".padEnd(117);
  const pixels = Uint8Array.from({ length: 56 * 56 * 3 }, (_, i) => (i * seed) % 251);
  return Uint8Array.of(0x93, ...Buffer.from("NUMPY"), 1, 0, 118, 0, ...Buffer.from(`${text}\n`), ...pixels);
}
