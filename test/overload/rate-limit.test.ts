import { expect, test } from "vitest";
import { countWork } from "../../src/overload/rate-limit.ts";

/** Counts like the binding does, and lets two through for each key. */
function limiter() {
  const counts: Record<string, number> = {};
  return {
    counts,
    limit: async ({ key }: { key: string }) => {
      counts[key] = (counts[key] ?? 0) + 1;
      return { success: counts[key] <= 2 };
    },
  };
}

test("refuses one client and not another", async () => {
  const binding = limiter();
  await countWork(binding, "203.0.113.7");
  await countWork(binding, "203.0.113.7");
  await expect(countWork(binding, "203.0.113.7")).rejects.toMatchObject({ code: "rate-limited", status: 429 });
  await expect(countWork(binding, "203.0.113.8")).resolves.toBeUndefined();
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:db8::6", "2001:db8:0:0::/64"],
  ["2001:0DB8:0:0:ffff::1", "2001:db8:0:0::/64"],
])("counts %s under %s", async (client, key) => {
  const binding = limiter();
  await countWork(binding, client);
  expect(Object.keys(binding.counts)).toEqual([key]);
});

test.each(["127.0.0.1", "::1", undefined])("does not count %s, which is development", async (client) => {
  const binding = limiter();
  await countWork(binding, client);
  expect(binding.counts).toEqual({});
});

test("a limiter that fails limits nothing", async () => {
  const failing = { limit: () => Promise.reject(new Error("down")) };
  await expect(countWork(failing, "203.0.113.7")).resolves.toBeUndefined();
});

test("a deployment without the binding limits nothing", async () => {
  await expect(countWork(undefined, "203.0.113.7")).resolves.toBeUndefined();
});
