import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createTurns, parseBatch, streamBatch } from "../../src/classify/batch.ts";
import { Problem } from "../../src/errors.ts";

const items = (count: number) => Array.from({ length: count }, (_, i) => ({ source: `r2:${i}`, options: "_" }));
const linesOf = async (stream: ReadableStream<Uint8Array>) =>
  (await new Response(stream).text())
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text));

test("options may be left out, and 100 items are the most", () => {
  const body = (count: number) =>
    new TextEncoder().encode(JSON.stringify({ items: Array(count).fill({ source: "r2:a" }) }));
  expect(parseBatch(body(100))).toHaveLength(100);
  expect(parseBatch(body(1))).toEqual([{ source: "r2:a", options: "_" }]);
  expect(() => parseBatch(body(101))).toThrow(/items/);
  expect(() => parseBatch(body(0))).toThrow(/items/);
});

const ignored = () => {};

describe("lines come as items are done", () => {
  test("in order of completion, each with its index", async () => {
    const lines = await linesOf(
      streamBatch(
        items(3),
        "",
        async (_, index) => {
          await pause((3 - index) * 20);
          return { done: index };
        },
        ignored,
      ),
    );
    expect(lines).toEqual([2, 1, 0].map((index) => ({ index, status: 200, done: index })));
  });

  test("a line is readable before the next item is done", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reader = streamBatch(
      items(2),
      "",
      async (_, index) => {
        if (index === 1) await held;
        return {};
      },
      ignored,
    ).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('{"index":0,"status":200}\n');
    release();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('{"index":1,"status":200}\n');
    expect((await reader.read()).done).toBe(true);
  });

  test("what an item throws is its own line; the inside of an unexpected error stays inside", async () => {
    const told: [number, string][] = [];
    const lines = await linesOf(
      streamBatch(
        items(3),
        "",
        async (_, index) => {
          if (index === 0) throw new Problem("source-not-found", "It is not there.");
          if (index === 1) throw new Error("secret");
          return {};
        },
        (problem, index) => told.push([index, String(problem.cause)]),
      ),
    );
    expect(told).toEqual([
      [0, "undefined"],
      [1, "Error: secret"],
    ]);
    expect(lines.sort((a, b) => a.index - b.index)).toMatchObject([
      { index: 0, status: 404, detail: "It is not there." },
      { index: 1, status: 500, detail: "The service failed." },
      { index: 2, status: 200 },
    ]);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  test("a client that leaves ends the stream without an error", async () => {
    const stream = streamBatch(
      items(2),
      "",
      async (_, index) => {
        await pause(index * 30);
        return {};
      },
      ignored,
    );
    await stream.cancel();
    await pause(60);
  });
});

test("no more run at once than there are turns, and a failure gives its turn back", async () => {
  const inTurn = createTurns(2);
  let running = 0;
  let most = 0;
  const work = (index: number) =>
    inTurn(async () => {
      running += 1;
      most = Math.max(most, running);
      await pause(5);
      running -= 1;
      if (index % 3 === 0) throw new Error("failed");
      return index;
    });
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => work(i)));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(6);
  expect(most).toBe(2);
});
