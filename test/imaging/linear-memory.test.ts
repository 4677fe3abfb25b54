import { describe, expect, test, vi } from "vitest";
import { LinearMemory, OutOfMemory } from "../../src/imaging/linear-memory.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { mutate, SEEDS, seeded } from "../worker/mutate.ts";

const MIB = 2 ** 20;
const PAGE = 65_536;

describe("codecs that take turns in one memory", () => {
  const [jpeg, webp] = [{}, {}];
  const setUp = () => {
    const memory = new LinearMemory(8 * MIB);
    const made: WebAssembly.Memory[] = [];
    const create = (shared: WebAssembly.Memory) => {
      made.push(shared);
      return { shared, number: made.length };
    };
    const number = (codec: object) => memory.run(codec, create, (instance) => instance.number);
    return { memory, made, create, number };
  };

  test("an instance stays until another codec moves in", () => {
    const { number } = setUp();
    expect([jpeg, jpeg, webp, webp, jpeg].map(number)).toEqual([1, 1, 2, 2, 3]);
  });

  test("an instance that threw is never used again", () => {
    const { memory, create, number } = setUp();
    const trap = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    number(jpeg);
    expect(() => memory.run(jpeg, create, trap)).toThrow("unreachable");
    expect(number(jpeg)).toBe(2);
  });

  test("all have the same memory, zeroed where static data go", () => {
    const { memory, made, create, number } = setUp();
    memory.run(jpeg, create, ({ shared }) => new Uint8Array(shared.buffer).fill(0xab));
    number(webp);
    expect(new Set(made).size).toBe(1);
    expect(new Uint8Array(made[0]?.buffer ?? new ArrayBuffer(), 0, 5 * MIB).every((byte) => byte === 0)).toBe(true);
  });

  test("it grows to its maximum and not a page further", () => {
    const { memory, create } = setUp();
    memory.run(jpeg, create, ({ shared }) => {
      shared.grow((8 * MIB - shared.buffer.byteLength) / PAGE);
      expect(() => shared.grow(1)).toThrow(RangeError);
    });
  });
});

describe("what a codec fails with", () => {
  const damage = new Error("damaged");
  const grow = (memory: WebAssembly.Memory, pages: number) => {
    try {
      memory.grow(pages);
    } catch {
      // As Emscripten does, which then tries with less.
    }
  };
  test.each<[string, readonly number[], Error]>([
    ["is its own", [], damage],
    ["is its own where the memory grew in the end", [1000, 1], damage],
    ["is for want of memory where that refused to grow", [1, 1000], expect.any(OutOfMemory)],
  ])("%s", (_name, requests, expected) => {
    const memory = new LinearMemory(8 * MIB);
    const failAfter = (asked: readonly number[]) => () =>
      memory.run(
        {},
        (shared) => shared,
        (shared) => {
          for (const pages of asked) grow(shared, pages);
          throw damage;
        },
      );
    expect(failAfter(requests)).toThrow(expected);
    // What one was refused says nothing of the next.
    expect(failAfter([])).toThrow(damage);
  });
});

/** Every WebAssembly memory that `work` makes: those constructed, and those that instances make for themselves. */
async function memoriesMade(work: () => Promise<unknown>): Promise<Set<WebAssembly.Memory>> {
  const made = new Set<WebAssembly.Memory>();
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      for (const item of Object.values(this.exports)) if (item instanceof WebAssembly.Memory) made.add(item);
    }
  };
  try {
    await work();
  } finally {
    WebAssembly.Instance = Instance;
  }
  return made;
}

test("a thousand bad files of all formats leave as many memories as one good file of each, and no larger ones", {
  timeout: 120_000,
}, async () => {
  vi.resetModules();
  const { decode } = await import("../../src/imaging/decode.ts");
  const { DECODER_MEMORY } = await import("../../src/imaging/limits.ts");
  const shrink = (file: Uint8Array) =>
    decode(file, { size: 24, filter: "bilinear", fit: "fill" }, loadCodec).then(
      () => true,
      () => false,
    );
  const random = seeded(7);
  let refused = 0;
  const made = await memoriesMade(async () => {
    for (const file of SEEDS) await shrink(file);
    for (let count = 0; count < 1000; count++) if (!(await shrink(mutate(random)))) refused++;
  });
  expect(refused).toBeGreaterThan(500);
  // The resampler's and the decoders'.
  expect(made.size).toBe(2);
  for (const memory of made) expect(memory.buffer.byteLength).toBeLessThanOrEqual(DECODER_MEMORY);
});

test("what one codec leaves behind changes no picture of the next", async () => {
  const { decode } = await import("../../src/imaging/decode.ts");
  const pixels = async (file: Uint8Array) =>
    (await decode(file, { size: 24, filter: "bilinear", fit: "fill" }, loadCodec)).data;
  const first = [];
  for (const file of SEEDS) first.push(await pixels(file));
  for (const [index, file] of Array.from(SEEDS.entries()).reverse()) expect(await pixels(file)).toEqual(first[index]);
});
