/**
 * E without ONNX Runtime: its convolutions in plain WebAssembly SIMD (conv.wat), with the weights of the same ONNX file. It knows
 * this one architecture, which training/ may change; it is here to say what a general runtime costs.
 */
import type { RunModel } from "../../src/downscaler/downscaler.ts";
import { readInitializers } from "./initializers.ts";

interface Kernel {
  readonly memory: WebAssembly.Memory;
  conv(
    ...numbers: [
      input: number,
      pixel: number,
      row: number,
      out: number,
      outPixel: number,
      outRow: number,
      weights: number,
      bias: number,
      side: number,
      kernel: number,
      groups: number,
      least: number,
    ]
  ): void;
}

const INPUT = 224;
/** Pixels of zeros around every image, for the largest kernel. */
const PAD = 2;

/** One image a call, as the service asks. @param size of the thumbnail's side. */
export function loadPlain(module: WebAssembly.Module, model: Uint8Array, size: number): RunModel {
  const initializers = readInitializers(model);
  const get = (name: string) => {
    const found = initializers.get(name);
    if (!found?.length) throw new Error(`The model has no ${name}.`);
    return found;
  };
  const { memory, conv } = new WebAssembly.Instance(module).exports as unknown as Kernel;
  const block = INPUT / size;
  const channels = 3 * block * block;
  const width = get("downscaler.first.bias").length;
  const padded = size + 2 * PAD;

  let used = 16;
  const reserve = (floats: number) => {
    const address = used;
    used += Math.ceil(floats / 4) * 16;
    const missing = used - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
    return address;
  };
  const image = (depth: number) => ({
    address: reserve(padded * padded * depth),
    pixel: depth * 4,
    row: padded * depth * 4,
  });
  const [input, first, one, sum, base, last] = [
    image(channels),
    image(width),
    image(width),
    image(width),
    image(4),
    image(4),
  ];

  function layer(name: string, outputs: number, kernel: number, bias?: Float32Array) {
    const from = get(name);
    const inputs = from.length / outputs / kernel / kernel;
    const groups = Math.ceil(outputs / 4);
    const [weights, biases] = [reserve(groups * 4 * inputs * kernel * kernel), reserve(groups * 4)];
    const floats = new Float32Array(memory.buffer);
    for (let output = 0; output < outputs; output++) {
      for (let tap = 0; tap < kernel * kernel; tap++) {
        for (let channel = 0; channel < inputs; channel++) {
          const to = (((output >> 2) * kernel * kernel + tap) * inputs + channel) * 4 + (output & 3);
          floats[weights / 4 + to] = from[(output * inputs + channel) * kernel * kernel + tap] ?? 0;
        }
      }
    }
    if (bias) floats.set(bias, biases / 4);
    return (source: typeof input, target: typeof input, least: number) => {
      const reach = kernel >> 1;
      const tap = source.address + (PAD - reach) * (source.row + source.pixel);
      const out = target.address + PAD * (target.row + target.pixel);
      conv(tap, source.pixel, source.row, out, target.pixel, target.row, weights, biases, size, kernel, groups, least);
    };
  }
  const layers = {
    bicubic: layer("downscaler.bicubic", 3, 5),
    first: layer("downscaler.first.weight_half", width, 3, get("downscaler.first.bias")),
    one: layer("downscaler.residual.0.one.weight_half", width, 3, get("downscaler.residual.0.one.bias")),
    two: layer("downscaler.residual.0.two.weight_half", width, 3, get("downscaler.residual.0.two.bias")),
    last: layer("downscaler.last.weight_half", 3, 3, get("downscaler.last.bias")),
  };
  const border = get("downscaler.border");
  const floats = new Float32Array(memory.buffer);
  const at = ({ address, pixel, row }: typeof input, y: number, x: number) =>
    (address + (y + PAD) * row + (x + PAD) * pixel) / 4;

  return async (photo) => {
    for (let y = 0; y < INPUT; y++) {
      for (let x = 0; x < INPUT; x++) {
        const place = (y % block) * block + (x % block);
        const to = at(input, Math.floor(y / block), Math.floor(x / block)) + place;
        for (let c = 0; c < 3; c++) floats[to + c * block * block] = (photo[(y * INPUT + x) * 3 + c] ?? 0) / 255;
      }
    }
    layers.bicubic(input, base, -Infinity);
    layers.first(input, first, 0);
    layers.one(first, one, 0);
    layers.two(one, sum, -Infinity);
    for (let i = 0; i < padded * padded * width; i++) {
      const to = sum.address / 4 + i;
      floats[to] = (floats[to] as number) + (floats[first.address / 4 + i] as number);
    }
    layers.last(sum, last, -Infinity);
    const thumbnail = new Uint8ClampedArray(size * size * 3);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        for (let c = 0; c < 3; c++) {
          const kept = (floats[at(base, y, x) + c] as number) * (border[y * size + x] ?? 0);
          thumbnail[(y * size + x) * 3 + c] = (kept + (floats[at(last, y, x) + c] as number)) * 255;
        }
      }
    }
    return new Uint8Array(thumbnail.buffer);
  };
}
