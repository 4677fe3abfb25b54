import { expect, test } from "vitest";
import { InstanceSlot } from "../../src/imaging/instances.ts";

const PAGES_A_MIB = 16;

test("an instance that was taken is nobody else's until it is put back", () => {
  const slot = new InstanceSlot<WebAssembly.Memory>((memory) => memory);
  const memory = new WebAssembly.Memory({ initial: PAGES_A_MIB });
  expect(slot.take()).toBeUndefined();
  slot.put(memory);
  expect(slot.take()).toBe(memory);
  expect(slot.take()).toBeUndefined();
});

test.each([
  [20, true],
  [21, false],
])("an instance of %i MiB is kept: %s", (mebibytes, kept) => {
  const slot = new InstanceSlot<WebAssembly.Memory>((memory) => memory);
  slot.put(new WebAssembly.Memory({ initial: mebibytes * PAGES_A_MIB }));
  expect(slot.take() !== undefined).toBe(kept);
});
