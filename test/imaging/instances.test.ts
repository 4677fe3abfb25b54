import { expect, test } from "vitest";
import { InstanceSlot } from "../../src/imaging/instances.ts";

const MB = 16;
const pages = (megabytes: number) => new WebAssembly.Memory({ initial: megabytes * MB });

/** A slot, and a way to lend from it that tells which instance came. */
function slotOf(): {
  slot: InstanceSlot<WebAssembly.Memory>;
  made: WebAssembly.Memory[];
  create: () => Promise<WebAssembly.Memory>;
} {
  const made: WebAssembly.Memory[] = [];
  const create = async () => {
    const memory = pages(1);
    made.push(memory);
    return memory;
  };
  return { slot: new InstanceSlot<WebAssembly.Memory>((memory) => memory), made, create };
}

test("an instance that did its work is lent again", async () => {
  const { slot, made, create } = slotOf();
  for (let i = 0; i < 3; i++) await slot.lend(create, () => {});
  expect(made.length).toBe(1);
});

test("an instance that threw is never lent again", async () => {
  const { slot, made, create } = slotOf();
  const trap = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  await slot.lend(create, () => {});
  await expect(slot.lend(create, trap)).rejects.toThrow("unreachable");
  expect(made.length).toBe(1);
  await slot.lend(create, (instance) => expect(instance).toBe(made[1]));
});

test("an instance in use is not lent to another", async () => {
  const { slot, create } = slotOf();
  await slot.lend(create, () => {});
  const first = slot.take();
  expect(first).toBeDefined();
  await slot.lend(create, (second) => expect(second).not.toBe(first));
});

test.each([
  [20, true],
  [21, false],
])("an instance of %i MiB is kept: %s", async (megabytes, kept) => {
  const { slot, made, create } = slotOf();
  await slot.lend(create, (memory) => memory.grow((megabytes - 1) * MB));
  await slot.lend(create, () => {});
  expect(made.length).toBe(kept ? 1 : 2);
});
