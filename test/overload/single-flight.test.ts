import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../src/errors.ts";
import { SingleFlight } from "../../src/overload/single-flight.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("requests for one key share one run; another key has its own", async () => {
  const flights = new SingleFlight<string>();
  const work = vi.fn(async (key: string) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return key;
  });
  const answers = Promise.all(["a", "a", "b", "a"].map((key) => flights.run(key, () => work(key))));
  await vi.advanceTimersByTimeAsync(10);
  expect(await answers).toEqual(["a", "a", "b", "a"]);
  expect(work).toHaveBeenCalledTimes(2);
});

test("a run that is over is not shared with later requests", async () => {
  const flights = new SingleFlight<number>();
  let runs = 0;
  const work = async () => ++runs;
  expect([await flights.run("a", work), await flights.run("a", work)]).toEqual([1, 2]);
});

test.each<[string, () => Promise<void>, number]>([
  ["what is still being stored", () => new Promise((resolve) => setTimeout(resolve, 10)), 10],
  ["what a store that never answers was given, for a minute,", () => new Promise(() => {}), 60_000],
])("%s is shared with later requests, and not after that", async (_, store, ms) => {
  const flights = new SingleFlight<number>();
  let runs = 0;
  const run = () => flights.run("a", async () => ++runs, store);
  expect(await run()).toBe(1);
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(await run()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await run()).toBe(2);
});

test("a problem is shared, and not kept", async () => {
  const flights = new SingleFlight<string>();
  const work = vi.fn(() => Promise.reject(new Problem("source-failed", "It failed.")));
  const results = await Promise.allSettled([flights.run("a", work), flights.run("a", work)]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(work).toHaveBeenCalledTimes(1);
  expect(await flights.run("a", async () => "well")).toBe("well");
});

test("one client's limit is not another's: the next in line does the work", async () => {
  const flights = new SingleFlight<string>();
  const limited = flights.run("a", () => Promise.reject(new Problem("rate-limited", "Too many.")));
  const follower = flights.run("a", async () => "well");
  await expect(limited).rejects.toThrow("Too many.");
  expect(await follower).toBe("well");
});

test("any other error is the fate of one request: the next in line does the work, for all that follow", async () => {
  const flights = new SingleFlight<string>();
  const work = vi.fn(async () => "well");
  const dropped = flights.run("a", () => Promise.reject(new Error("created by a request that has since ended")));
  const followers = [flights.run("a", work), flights.run("a", work), flights.run("a", work)];
  await expect(dropped).rejects.toThrow("ended");
  expect(await Promise.all(followers)).toEqual(["well", "well", "well"]);
  expect(work).toHaveBeenCalledTimes(1);
});

test("a run whose request vanished is not waited for without end", async () => {
  const flights = new SingleFlight<string>();
  void flights.run("a", () => new Promise(() => {}));
  const follower = flights.run("a", async () => "done by another");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await follower).toBe("done by another");
});
