/** The kernel against ONNX Runtime, and the Worker that has it instead. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import wabt from "wabt";
import type { ModelCard } from "../../src/downscaler/card.ts";
import { loadSimd } from "../../src/downscaler/simd/network.ts";
import { decodeNpy } from "../../src/imaging/npy.ts";
import { downscalePhoto, downscalerFor, type Runtime } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { readCard } from "../../src/runtime/read-card.ts";
import { SIMD_WORKER_DIR } from "../worker/build.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";

const PHOTOS = ["church", "french-horn", "parachute"].map((name) => `examples/photos/${name}.jpg`);
const SHAPE = [1, 224, 224, 3];

const source = (name: string) => new URL(`../../src/downscaler/simd/${name}`, import.meta.url);
const conv = new WebAssembly.Module(readFileSync(source("conv.wasm")));

let runtime: Runtime;
let worker: TestWorker;
beforeAll(async () => {
  runtime = await nodeRuntime();
  worker = await startWorker({}, {}, SIMD_WORKER_DIR);
});
afterAll(() => worker.close());

test("conv.wasm is what conv.wat says", async () => {
  const { parseWat } = await wabt();
  const module = parseWat("conv.wat", readFileSync(source("conv.wat")).toString(), { relaxed_simd: true });
  expect(new Uint8Array(module.toBinary({}).buffer)).toEqual(new Uint8Array(readFileSync(source("conv.wasm"))));
});

async function load(size: number, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) {
  const folder = new URL(`../../models/downscaler-${size}/`, import.meta.url);
  const card = await readCard(folder);
  return loadSimd(conv, card, change(await readFile(new URL("1/model.onnx", folder))));
}

/** Share of values that differ, and by how much at most. */
function compare(actual: Uint8Array, expected: Uint8Array) {
  expect(actual.length).toBe(expected.length);
  const differences = Array.from(actual, (value, i) => Math.abs(value - (expected[i] ?? 0)));
  return { share: differences.filter(Boolean).length / actual.length, most: Math.max(...differences) };
}

describe.each([56, 112])("thumbnails of %i pixels", (size) => {
  test.each(PHOTOS)("of %s differ from ONNX Runtime's in no more than rounding", async (photo) => {
    const served = await worker.fetch(`/thumbnail/size=${size},format=npy`, {
      method: "POST",
      body: await readFile(photo),
    });
    const simd = decodeNpy(new Uint8Array(await served.arrayBuffer())).data;
    const { data } = await downscalePhoto(await readFile(photo), { size, format: "npy" }, runtime);
    const { share, most } = compare(simd, data);
    expect(most).toBeLessThanOrEqual(1);
    expect(share).toBeLessThan(0.001);
  });

  test("reach both ends of the range, and stay in it", async () => {
    const run = await load(size);
    for (const value of [0, 255]) {
      const image = new Uint8Array(224 * 224 * 3).fill(value);
      const expected = await downscalerFor(size, runtime).downscale({ width: 224, height: 224, data: image });
      expect(compare(await run(image, SHAPE), expected.data).most).toBeLessThanOrEqual(1);
    }
  });

  test("do not depend on the photo before", async () => {
    const run = await load(size);
    const [dark, light] = [new Uint8Array(224 * 224 * 3), new Uint8Array(224 * 224 * 3).fill(200)];
    const first = await run(dark, SHAPE);
    await run(light, SHAPE);
    expect(await run(dark, SHAPE)).toEqual(first);
  });
});

test("a model of another architecture is refused by what it lacks", async () => {
  await expect(load(56, (bytes) => bytes.subarray(0, 20))).rejects.toThrow(/downscaler with first.bias is expected/);
  const folder = new URL("../../models/student-56/", import.meta.url);
  const student = await readFile(new URL("1/model.onnx", folder));
  await expect(load(56, () => student)).rejects.toThrow(/is expected, but the model has none/);
});

test("more than one image a call is refused", async () => {
  const run = await load(56);
  await expect(run(new Uint8Array(2 * 224 * 224 * 3), [2, 224, 224, 3])).rejects.toThrow(/One image/);
});

test("a card that is no downscaler's is refused", async () => {
  const card: ModelCard = await readCard(new URL("../../models/student-56/", import.meta.url));
  expect(() => loadSimd(conv, card, new Uint8Array())).toThrow(/not a downscaler/);
});
