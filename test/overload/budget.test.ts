import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Budget, type Lease } from "../../src/overload/budget.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const options = { total: 10, maxLeases: 5, maxWaitMs: 1000, leaseMs: 60_000 };

/** A request that takes part until it is told to end; what it did is read from `log`. */
function start(budget: Budget, name: string, amounts: number[], log: string[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = budget
    .use(async (lease: Lease) => {
      for (const amount of amounts) {
        await lease.hold(amount);
        log.push(`${name} holds ${amount}`);
      }
      await promise;
    })
    .catch((error: unknown) => void log.push(`${name}: ${error instanceof Error ? error.message : error}`));
  return { end: resolve, done };
}

const settle = () => vi.advanceTimersByTimeAsync(1);

test("grants what fits and makes others wait for room", async () => {
  const [budget, log] = [new Budget(options), [] as string[]];
  const a = start(budget, "a", [6], log);
  start(budget, "b", [4], log);
  start(budget, "c", [1], log);
  await settle();
  expect(log).toEqual(["a holds 6", "b holds 4"]);
  a.end();
  await settle();
  expect(log).toEqual(["a holds 6", "b holds 4", "c holds 1"]);
});

test("never makes the oldest wait, so that growing requests cannot block each other", async () => {
  const [budget, log] = [new Budget(options), [] as string[]];
  const a = start(budget, "a", [5, 20], log);
  start(budget, "b", [5, 6], log);
  await settle();
  expect(log).toEqual(["a holds 5", "b holds 5", "a holds 20"]);
  a.end();
  await settle();
  expect(log.at(-1)).toBe("b holds 6");
});

test("with a total of one, gives turns in the order of arrival", async () => {
  const [budget, log] = [new Budget({ ...options, total: 1 }), [] as string[]];
  const requests = ["a", "b", "c"].map((name) => start(budget, name, [1], log));
  await settle();
  expect(log).toEqual(["a holds 1"]);
  requests[0]?.end();
  await settle();
  expect(log).toEqual(["a holds 1", "b holds 1"]);
  requests[1]?.end();
  await settle();
  expect(log).toEqual(["a holds 1", "b holds 1", "c holds 1"]);
});

describe("refuses", () => {
  test("who waited too long", async () => {
    const [budget, log] = [new Budget(options), [] as string[]];
    start(budget, "a", [10], log);
    start(budget, "b", [1], log);
    await vi.advanceTimersByTimeAsync(999);
    expect(log).toEqual(["a holds 10"]);
    await vi.advanceTimersByTimeAsync(2);
    expect(log[1]).toContain("Too many images");
  });

  test("one more than may wait, at once", async () => {
    const [budget, log] = [new Budget(options), [] as string[]];
    for (const name of ["a", "b", "c", "d", "e", "f"]) start(budget, name, [1], log);
    await settle();
    expect(log.filter((entry) => entry.includes("holds"))).toHaveLength(5);
    expect(log).toContain("f: Too many images are being worked on. Try again in a moment.");
  });
});

test("gives back what a request held, also when it fails", async () => {
  const budget = new Budget({ ...options, total: 1 });
  await expect(
    budget.use(async (lease) => {
      await lease.hold(1);
      throw new Error("broken");
    }),
  ).rejects.toThrow("broken");
  await expect(budget.use((lease) => lease.hold(1))).resolves.toBeUndefined();
});

test("takes back what a request that vanished held", async () => {
  const [budget, log] = [new Budget({ ...options, maxWaitMs: 120_000 }), [] as string[]];
  start(budget, "gone", [10], log);
  start(budget, "next", [10], log);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(log).toEqual(["gone holds 10"]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(log).toEqual(["gone holds 10", "next holds 10"]);
});

test("who waits longer than a lease keeps its place, and waiters are not let in together", async () => {
  const budget = new Budget({ total: 1, maxLeases: 5, maxWaitMs: 20_000, leaseMs: 10_000 });
  const log: string[] = [];
  const first = start(budget, "a", [1], log);
  await vi.advanceTimersByTimeAsync(8000);
  const early = start(budget, "b", [1], log);
  start(budget, "c", [1], log);
  first.end();
  await vi.advanceTimersByTimeAsync(9000);
  start(budget, "d", [1], log);
  expect(log).toEqual(["a holds 1", "b holds 1"]);
  await vi.advanceTimersByTimeAsync(1000);
  early.end();
  await vi.advanceTimersByTimeAsync(2000);
  expect(log).toEqual(["a holds 1", "b holds 1", "c holds 1"]);
});

test("a turn is one request's, though the poll has put those who wait into another order", async () => {
  const [budget, log] = [new Budget({ ...options, total: 1, maxWaitMs: 20_000 }), [] as string[]];
  const first = start(budget, "first", [1], log);
  const older = start(budget, "older", [1], log);
  await vi.advanceTimersByTimeAsync(500);
  start(budget, "younger", [1], log);
  await vi.advanceTimersByTimeAsync(700); // the older one has looked at 1000 ms, and now waits behind the younger one
  first.end();
  await settle();
  expect(log).toEqual(["first holds 1", "older holds 1"]);
  older.end();
  await settle();
  expect(log).toEqual(["first holds 1", "older holds 1", "younger holds 1"]);
});

test("a large request that waits does not keep small ones from the room that is left", async () => {
  const [budget, log] = [new Budget(options), [] as string[]];
  start(budget, "a", [6], log);
  start(budget, "large", [8], log);
  start(budget, "small", [4], log);
  await settle();
  expect(log).toEqual(["a holds 6", "small holds 4"]);
});
