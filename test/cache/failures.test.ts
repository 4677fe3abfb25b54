import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RecentFailures } from "../../src/cache/failures.ts";
import { Problem, type ProblemCode } from "../../src/errors.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const failing = (code: ProblemCode) => vi.fn(() => Promise.reject(new Problem(code, "It failed.")));

test("a source that failed is asked again only after the time", async () => {
  const failures = new RecentFailures();
  const work = failing("source-failed");
  const guard = () => failures.guard("https://example.com/a", 10, work).catch((error: Problem) => error.code);
  expect([await guard(), await guard()]).toEqual(["source-failed", "source-failed"]);
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(9999);
  await guard();
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  await guard();
  expect(work).toHaveBeenCalledTimes(2);
});

test("another source is not concerned", async () => {
  const failures = new RecentFailures();
  await failures.guard("a", 10, failing("source-failed")).catch(() => {});
  expect(await failures.guard("b", 10, async () => "well")).toBe("well");
});

test.each<[ProblemCode, boolean]>([
  ["source-not-found", true],
  ["source-failed", true],
  ["source-refused", true],
  ["source-timeout", true],
  ["undecodable-image", true],
  ["unsupported-format", true],
  ["image-too-large", true],
  ["body-too-large", true],
  ["source-not-allowed", false],
  ["overloaded", false],
  ["rate-limited", false],
  ["internal-error", false],
])("%s is remembered: %s", async (code, expected) => {
  const failures = new RecentFailures();
  const work = failing(code);
  for (let time = 0; time < 2; time++) await failures.guard("a", 10, work).catch(() => {});
  expect(work).toHaveBeenCalledTimes(expected ? 1 : 2);
});

test("an error of the service itself is not remembered", async () => {
  const failures = new RecentFailures();
  await failures.guard("a", 10, () => Promise.reject(new Error("bug"))).catch(() => {});
  expect(await failures.guard("a", 10, async () => "well")).toBe("well");
});

test("the list is bounded: the oldest entries make room", async () => {
  const failures = new RecentFailures();
  for (let source = 0; source <= 2000; source++) {
    await failures.guard(`${source}`, 1000, failing("source-failed")).catch(() => {});
  }
  expect(await failures.guard("0", 1000, async () => "asked again")).toBe("asked again");
  await expect(failures.guard("2000", 1000, async () => "asked again")).rejects.toThrow("It failed.");
});
