import { afterEach, expect, test, vi } from "vitest";
import type { Geometry } from "../../src/imaging/image.ts";
import { DECODE_BUDGET } from "../../src/imaging/limits.ts";
import { resample } from "../../src/imaging/resample.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { difference, goldenFile } from "./golden.ts";
import { largePicture, mosaic } from "./large.ts";

const GEOMETRY: Geometry = { size: 224, filter: "bilinear", fit: "fill" };

const { Instance, instantiate } = WebAssembly;

afterEach(() => {
  Object.assign(WebAssembly, { Instance, instantiate });
  vi.resetModules();
});

/** Decodes with codecs of its own and tells how large their linear memories have grown. */
async function decodeMeasured(file: Uint8Array) {
  const memories: WebAssembly.Memory[] = [];
  const note = ({ exports }: WebAssembly.Instance) => {
    for (const item of Object.values(exports)) if (item instanceof WebAssembly.Memory) memories.push(item);
  };
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      note(this);
    }
  };
  Object.assign(WebAssembly, {
    async instantiate(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      const instance = await instantiate(module, imports);
      note(instance);
      return instance;
    },
  });
  const { decode } = await import("../../src/imaging/decode.ts");
  const image = await decode(file, GEOMETRY, loadCodec);
  return { image, wasmBytes: memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0) };
}

// Width, height, what sharp writes, bounds of the error against the full-size decode, and of wasm memory in MB.
test.each([
  [4000, 3000, "baseline 4:2:0", { chromaSubsampling: "4:2:0" }, { mean: 0.5, max: 6 }, 16],
  [4000, 3000, "baseline 4:4:4", { chromaSubsampling: "4:4:4" }, { mean: 0.5, max: 6 }, 20],
  [4000, 3000, "progressive 4:2:0", { progressive: true, chromaSubsampling: "4:2:0" }, { mean: 1, max: 30 }, 1],
  [5472, 3648, "baseline 4:2:0", { chromaSubsampling: "4:2:0" }, { mean: 1, max: 10 }, 16],
  // An eighth of 3585 is 448.125, which libjpeg rounds up to 449.
  [3585, 3585, "baseline 4:4:4", { chromaSubsampling: "4:4:4" }, { mean: 1.8, max: 28 }, 16],
  [5472, 3648, "progressive 4:2:0", { progressive: true, chromaSubsampling: "4:2:0" }, { mean: 0.8, max: 24 }, 1],
  [5472, 3648, "progressive 4:4:4", { progressive: true, chromaSubsampling: "4:4:4" }, { mean: 0.5, max: 6 }, 1],
] as const)("a JPEG of %i x %i, %s", async (width, height, _name, options, bounds, wasmMegabytes) => {
  const file = await (await largePicture(width, height)).jpeg({ quality: 85, ...options }).toBuffer();
  const expected = await resample(await mosaic(width, height), GEOMETRY, loadCodec);
  const { image, wasmBytes } = await decodeMeasured(file);
  const { mean, max } = difference(image.data, expected.data);
  expect(mean).toBeLessThan(bounds.mean);
  expect(max).toBeLessThanOrEqual(bounds.max);
  expect(wasmBytes).toBeLessThanOrEqual(wasmMegabytes * 2 ** 20);
  expect(wasmBytes + file.length).toBeLessThan(DECODE_BUDGET);
});

test("a large progressive JPEG that ends after its first scans is refused", async () => {
  const { decode } = await import("../../src/imaging/decode.ts");
  const file = await (await largePicture(3000, 2800)).jpeg({ progressive: true }).toBuffer();
  await expect(decode(file, GEOMETRY, loadCodec)).resolves.toBeDefined();
  const cut = file.subarray(0, file.length * 0.7);
  await expect(decode(cut, GEOMETRY, loadCodec)).rejects.toMatchObject({ code: "undecodable-image" });
});

// Width, height, what sharp writes, MB that the decoder's memory and the copy of the pixels may take.
test.each([
  ["webp", 3300, 2000, { quality: 80 }, 66],
  ["webp", 2200, 2000, { lossless: true, effort: 0 }, 66],
  ["avif", 1920, 1130, { quality: 60, effort: 0, chromaSubsampling: "4:4:4" }, 69],
  ["avif", 1620, 960, { quality: 60, effort: 0, chromaSubsampling: "4:4:4", bitdepth: 10 }, 66],
] as const)("a %s of %i x %i fits its memory", async (format, width, height, options, megabytes) => {
  const file = await (await largePicture(width, height)).toFormat(format, options).toBuffer();
  const expected = await resample(await mosaic(width, height), GEOMETRY, loadCodec);
  const { image, wasmBytes } = await decodeMeasured(file);
  expect(difference(image.data, expected.data).mean).toBeLessThan(1.2);
  expect(wasmBytes + width * height * 4 + 2 * file.length).toBeLessThanOrEqual(megabytes * 1e6);
});

test("an AVIF for which there turns out to be too little memory is too large, and no damaged one", async () => {
  const { decode } = await import("../../src/imaging/decode.ts");
  const picture = (await largePicture(1600, 1200)).ensureAlpha(0.5);
  const file = await picture.avif({ quality: 60, effort: 0, chromaSubsampling: "4:4:4" }).toBuffer();
  await expect(decode(file, GEOMETRY, loadCodec)).rejects.toMatchObject({
    code: "image-too-large",
    message: "Expected an image whose decoder needs at most 56 MiB; this AVIF image needs more.",
  });
  await expect(decode(goldenFile("plain.avif"), GEOMETRY, loadCodec)).resolves.toBeDefined();
});
