import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createGather } from "../../src/classify/gather.ts";

function gather(limits: { expected: number; size: number; waitMs: number }) {
  const requests: number[][] = [];
  const created = createGather(async (items: readonly number[]) => {
    requests.push([...items]);
    return items.map((item) => item * 10);
  }, limits);
  return { ...created, requests };
}

describe("images that become ready one by one go out together", () => {
  test("when the request is full", async () => {
    const { add, requests } = gather({ expected: 5, size: 2, waitMs: 60_000 });
    const results = [add(1), add(2), add(3), add(4)];
    expect(await Promise.all(results)).toEqual([10, 20, 30, 40]);
    expect(requests).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("when everyone who may come is there", async () => {
    const { add, leave, requests } = gather({ expected: 3, size: 10, waitMs: 60_000 });
    const results = [add(1), add(2)];
    expect(requests).toEqual([]);
    leave();
    expect(await Promise.all(results)).toEqual([10, 20]);
    expect(requests).toEqual([[1, 2]]);
  });

  test("when the first has waited long enough", async () => {
    const { add, requests } = gather({ expected: 3, size: 10, waitMs: 30 });
    const start = performance.now();
    expect(await add(1)).toBe(10);
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
    await pause(60);
    expect(requests).toEqual([[1]]);
  });

  test("a last one does not wait for those whose answers are out already", async () => {
    const { add, leave } = gather({ expected: 3, size: 2, waitMs: 60_000 });
    await Promise.all([add(1), add(2)]);
    leave();
    leave();
    expect(await add(3)).toBe(30);
  });
});

describe("a request that fails", () => {
  test("fails for those in it, and for nobody else", async () => {
    let failing = true;
    const { add } = createGather(
      async (items: readonly number[]) => {
        if (failing) throw new Error("down");
        return items;
      },
      { expected: 4, size: 2, waitMs: 60_000 },
    );
    const results = await Promise.allSettled([add(1), add(2)]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    failing = false;
    expect(await Promise.all([add(3), add(4)])).toEqual([3, 4]);
  });

  test("with a result too few is an error for the one without", async () => {
    const { add } = createGather(async () => [1], { expected: 2, size: 2, waitMs: 60_000 });
    const [first, second] = await Promise.allSettled([add(1), add(2)]);
    expect([first?.status, second?.status]).toEqual(["fulfilled", "rejected"]);
  });
});
