/** One golden input through PyTorch (files made by training), onnxruntime and onnxruntime-web, in Node and in workerd. */
import { readFile } from "node:fs/promises";
import * as ortNode from "onnxruntime-node";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseCard } from "../../src/downscaler/card.ts";
import { loadModel } from "../../src/downscaler/session.ts";
import type { RgbImage } from "../../src/imaging/image.ts";
import { decodeNpy } from "../../src/imaging/npy.ts";
import { downscalerFor, type Runtime } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { startWorker, type TestWorker } from "./harness.ts";

const photo = await readFile("test/golden/photo.png");
let runtime: Runtime;
let worker: TestWorker;
let square: RgbImage;

beforeAll(async () => {
  runtime = await nodeRuntime();
  worker = await startWorker();
  square = { width: 224, height: 224, data: new Uint8Array(await sharp(photo).removeAlpha().raw().toBuffer()) };
});
afterAll(() => worker.close());

/** Share of bytes that differ, and by how much at most. */
function compare(actual: Uint8Array, expected: Uint8Array): { share: number; most: number } {
  expect(actual.length).toBe(expected.length);
  const differences = Array.from(actual, (value, i) => Math.abs(value - (expected[i] ?? 0)));
  return { share: differences.filter(Boolean).length / actual.length, most: Math.max(...differences) };
}

describe.each([56, 112])("the thumbnail of %i pixels", (size) => {
  it("by onnxruntime-web in workerd has the very bytes of onnxruntime-web in Node", async () => {
    const response = await worker.fetch(`/thumbnail/size=${size},format=npy`, { method: "POST", body: photo });
    const inWorkerd = decodeNpy(new Uint8Array(await response.arrayBuffer()));
    expect(inWorkerd.data).toEqual((await downscalerFor(size, runtime).downscale(square)).data);
  });

  it("by native onnxruntime differs in no more than rounding", async () => {
    const name = `downscaler-${size}`;
    const card = parseCard(JSON.parse(await readFile(`models/${name}/card.json`, "utf8")), name);
    const run = await loadModel(ortNode, card, await readFile(`models/${name}/1/model.onnx`));
    const native = await run(square.data, [1, 224, 224, 3]);
    const { share, most } = compare(native, (await downscalerFor(size, runtime).downscale(square)).data);
    expect(most).toBeLessThanOrEqual(1);
    expect(share).toBeLessThan(0.001);
  });

  it("by PyTorch differs in no more than rounding", async () => {
    // The golden file holds a batch of one, so its pixels are what follows the header.
    const pytorch = (await readFile(`test/golden/downscaler-${size}.pytorch.npy`)).subarray(-size * size * 3);
    const { share, most } = compare((await downscalerFor(size, runtime).downscale(square)).data, pytorch);
    expect(most).toBeLessThanOrEqual(1);
    expect(share).toBeLessThan(0.001);
  });
});
