/** What no HTTP library would send: the bytes go out by hand, at the pace that the case needs. */
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchange } from "./http.ts";
import { type RunningOrigin, startOrigin, TEST_MODELS } from "./start-origin.ts";

const TIMEOUT_MS = 1000;
const MAX_BYTES = 4096;
const INFER = "/v2/models/echo/infer";
const message = JSON.stringify({ inputs: [{ name: "number", shape: [1, 2], datatype: "INT64", data: [3, 4] }] });
const post = (...headers: string[]) => [`POST ${INFER} HTTP/1.1`, "Host: x", ...headers, "", ""].join("\r\n");

let origin: RunningOrigin;
beforeAll(async () => {
  const limits = {
    "--request-timeout-ms": TIMEOUT_MS,
    "--max-request-bytes": MAX_BYTES,
    "--max-pending-bytes": 10_000,
  };
  origin = await startOrigin("--models", TEST_MODELS, ...Object.entries(limits).flat().map(String));
});
afterAll(() => origin.stop());

/** Sends the parts with pauses between, and gives all that came until the server closed or had answered. */
async function talk(parts: readonly (string | Uint8Array | number)[], end = false): Promise<string> {
  const socket = connect(origin.port, "127.0.0.1");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (const part of parts) {
    if (typeof part === "number") await pause(part);
    else socket.write(part);
  }
  if (end) socket.end();
  await Promise.race([closed, answered(() => received), pause(5 * TIMEOUT_MS)]);
  socket.destroy();
  return received;
}

async function answered(received: () => string): Promise<void> {
  while (!/\r\n\r\n[\s\S]*\}$/.test(received())) await pause(5);
}

/** The same server must still serve others afterwards. */
async function expectAlive(): Promise<void> {
  const reply = await exchange(origin.port, { method: "POST", path: INFER, body: Buffer.from(message) });
  expect(JSON.parse(reply.body.toString()).outputs[0].data).toEqual([3, 4]);
}

describe("a request that is slow but whole is answered", () => {
  test.each<[string, (string | number)[]]>([
    [
      "the header in pieces",
      [
        post(`Content-Length: ${message.length}`).slice(0, 20),
        50,
        post(`Content-Length: ${message.length}`).slice(20),
        message,
      ],
    ],
    ["the body in pieces", [post(`Content-Length: ${message.length}`), message.slice(0, 30), 100, message.slice(30)]],
    [
      "the body in chunks",
      [post("Transfer-Encoding: chunked"), `${message.length.toString(16)}\r\n${message}\r\n`, 50, "0\r\n\r\n"],
    ],
    ["after 100-continue", [post(`Content-Length: ${message.length}`, "Expect: 100-continue"), 50, message]],
  ])("%s", async (_, parts) => {
    expect(await talk(parts)).toMatch(/HTTP\/1\.1 200 OK[\s\S]*"data":\[3,4\]/);
  });

  test("two in one packet are answered one after the other", async () => {
    const one = post(`Content-Length: ${message.length}`) + message;
    const received = await talk([one + one, 300]);
    expect(received.match(/"data":\[3,4\]/g)).toHaveLength(2);
  });
});

describe("a request that never becomes whole costs a bounded time", () => {
  test.each<[string, (string | number)[]]>([
    ["nothing after the first line", ["POST / HTTP/1.1\r\n"]],
    ["no body", [post("Content-Length: 10")]],
    ["a body cut short", [post(`Content-Length: ${message.length + 1}`), message]],
    ["a chunk without an end", [post("Transfer-Encoding: chunked"), "5\r\nab"]],
    [
      "a byte now and then",
      [post("Content-Length: 100"), ...Array.from({ length: 30 }, () => ["x", TIMEOUT_MS / 10]).flat()],
    ],
  ])("%s", async (_, parts) => {
    const start = performance.now();
    expect(await talk(parts)).toMatch(/^(HTTP\/1\.1 408 .*[\s\S]*)?$/);
    expect(performance.now() - start).toBeLessThan(4.5 * TIMEOUT_MS);
    await expectAlive();
  });

  test("a client that goes away in the middle is forgotten", async () => {
    await talk([post("Content-Length: 100"), "half"], true);
    await expectAlive();
    expect(origin.errors()).toBe("");
  });
});

describe("sizes are bounded before and while the body comes", () => {
  const large = JSON.stringify({ inputs: [], padding: "x".repeat(MAX_BYTES) });
  test.each<[string, (string | Uint8Array)[], number]>([
    ["a length that says too much", [post(`Content-Length: ${MAX_BYTES + 1}`)], 413],
    [
      "chunks that become too much",
      [post("Transfer-Encoding: chunked"), `${large.length.toString(16)}\r\n${large}\r\n`],
      413,
    ],
    ["a body that unpacks to too much", bomb(), 413],
    ["a length that is no number", [post("Content-Length: x")], 400],
    ["two lengths", [post("Content-Length: 1", "Content-Length: 2"), "xx"], 400],
    ["length and chunks at once", [post("Content-Length: 4", "Transfer-Encoding: chunked"), "0\r\n\r\n"], 400],
    ["headers without end", [`POST ${INFER} HTTP/1.1\r\nX: ${"x".repeat(100_000)}`], 431],
    ["no HTTP at all", ["\x16\x03\x01\x02\x00\x01"], 400],
  ])("%s", async (_, parts, status) => {
    expect(await talk(parts)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await expectAlive();
  });

  test("a body of exactly the limit is read", async () => {
    const body = message.padEnd(MAX_BYTES);
    expect(await talk([post(`Content-Length: ${body.length}`), body])).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("many bodies held open together are refused beyond the budget, and give it back", async () => {
    const held = Array.from({ length: 3 }, () => talk([post("Content-Length: 4000"), "x".repeat(3900)]));
    await pause(200);
    expect(await talk([post(`Content-Length: ${message.length}`), message])).toMatch(/^HTTP\/1\.1 (200|503) /);
    const refused = (await Promise.all(held)).filter((received) => received.startsWith("HTTP/1.1 503 "));
    expect(refused).toHaveLength(1);
    await expectAlive();
  });
});

function bomb(): (string | Uint8Array)[] {
  const body = gzipSync(Buffer.alloc(1_000_000));
  return [post(`Content-Length: ${body.length}`, "Content-Encoding: gzip"), body];
}
