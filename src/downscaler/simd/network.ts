/**
 * E without ONNX Runtime: the layers of `training/src/thumbnet/downscaler.py` over one WebAssembly kernel (conv.wat), with the
 * weights of the same ONNX file.
 *
 * It knows this one architecture, of any width and number of residual pairs, and takes one image a call. Sums are made in another
 * order than ONNX Runtime's, so that now and then a pixel rounds to the next level.
 */
import type { ModelCard } from "../card.ts";
import type { RunModel } from "../downscaler.ts";
import { downscalerShapes } from "../shapes.ts";
import { readInitializers } from "./initializers.ts";

/** What conv.wasm exports. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  conv(
    input: number,
    channel: number,
    row: number,
    channels: number,
    out: number,
    outChannel: number,
    outRow: number,
    weights: number,
    bias: number,
    side: number,
    kernel: number,
    groups: number,
    bound: number,
  ): void;
}

/** A float32 image in the kernel's memory, [row][channel][pixel], with a frame of zeros; strides in bytes. */
interface Image {
  readonly address: number;
  readonly channel: number;
  readonly row: number;
  readonly channels: number;
}

type Layer = (from: Image, to: Image) => void;

/** Pixels of zeros around every image, for the largest kernel. */
const FRAME = 2;
const PAGE = 65_536;
const RELU = 0;
const LINEAR = -Infinity;

/**
 * @param module conv.wasm.
 * @param model the ONNX file of a downscaler of this project.
 * @throws Error if the model is of another architecture.
 */
export function loadSimd(module: WebAssembly.Module, card: ModelCard, model: Uint8Array): RunModel {
  const { preprocessing, size } = downscalerShapes(card);
  const side = preprocessing.size;
  const block = side / size;
  const exported: unknown = new WebAssembly.Instance(module).exports;
  const network = new Network(exported as Kernel, readInitializers(model), size, 3 * block * block);
  return async (photo, [images]) => {
    if (images !== 1) throw new Error(`One image a call is expected, but got ${images}.`);
    toCells(photo, side, block, network);
    network.run();
    return network.thumbnail();
  };
}

/** Pixel-unshuffle: uint8 RGB [side, side] into 3 block^2 channels of 0..1 at the thumbnail's resolution. */
function toCells(photo: Uint8Array, side: number, block: number, { cells, floats }: Network): void {
  const values = floats();
  const [start, row, channel] = [cells.address / 4, cells.row / 4, cells.channel / 4];
  let at = 0;
  for (let y = 0; y < side; y++) {
    const line = start + (Math.floor(y / block) + FRAME) * row + FRAME + (y % block) * block * channel;
    for (let x = 0; x < side; x++) {
      let to = line + Math.floor(x / block) + (x % block) * channel;
      for (let c = 0; c < 3; c++, to += block * block * channel) values[to] = (photo[at++] ?? 0) / 255;
    }
  }
}

class Network {
  readonly cells: Image;
  readonly #kernel: Kernel;
  readonly #weights: ReadonlyMap<string, Float32Array>;
  readonly #size: number;
  readonly #images: Record<"bicubic" | "state" | "inner" | "added" | "detail", Image>;
  readonly #layers: { bicubic: Layer; first: Layer; pairs: readonly (readonly [Layer, Layer])[]; last: Layer };
  readonly #border: Float32Array;
  #used = 0;

  constructor(kernel: Kernel, weights: ReadonlyMap<string, Float32Array>, size: number, channels: number) {
    this.#kernel = kernel;
    this.#weights = weights;
    this.#size = size;
    const width = this.#named("first.bias").length;
    const pairs = [...weights.keys()].filter((name) => /^downscaler\.residual\.\d+\.one\.bias$/.test(name)).length;
    this.cells = this.#image(channels);
    this.#images = {
      bicubic: this.#image(4),
      state: this.#image(width),
      inner: this.#image(width),
      added: this.#image(width),
      detail: this.#image(4),
    };
    this.#layers = {
      bicubic: this.#layer("bicubic", channels, 3, 5, LINEAR),
      first: this.#layer("first", channels, width, 3, RELU),
      pairs: Array.from({ length: pairs }, (_, i) => [
        this.#layer(`residual.${i}.one`, width, width, 3, RELU),
        this.#layer(`residual.${i}.two`, width, width, 3, LINEAR),
      ]),
      last: this.#layer("last", width, 3, 3, LINEAR),
    };
    this.#border = this.#named("border");
  }

  /** From `cells` to what `thumbnail` adds up. */
  run(): void {
    const { bicubic, state, inner, added, detail } = this.#images;
    this.#layers.bicubic(this.cells, bicubic);
    this.#layers.first(this.cells, state);
    for (const [one, two] of this.#layers.pairs) {
      one(state, inner);
      two(inner, added);
      this.#add(state, added);
    }
    this.#layers.last(state, detail);
  }

  /** uint8 RGB [size, size]. */
  thumbnail(): Uint8Array {
    const { bicubic, detail } = this.#images;
    const [values, size] = [this.floats(), this.#size];
    const pixels = new Uint8ClampedArray(size * size * 3);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        for (let c = 0; c < 3; c++) {
          const offset = ((y + FRAME) * bicubic.row + c * bicubic.channel) / 4 + x + FRAME;
          const kept = (values[bicubic.address / 4 + offset] ?? 0) * (this.#border[y * size + x] ?? 0);
          pixels[(y * size + x) * 3 + c] = (kept + (values[detail.address / 4 + offset] ?? 0)) * 255;
        }
      }
    }
    return new Uint8Array(pixels.buffer);
  }

  /** The memory as it is now: growing it takes older views away. */
  readonly floats = (): Float32Array => new Float32Array(this.#kernel.memory.buffer);

  #add(state: Image, added: Image): void {
    const values = this.floats();
    const [to, from, length] = [state.address / 4, added.address / 4, (this.#size + 2 * FRAME) * (state.row / 4)];
    for (let i = 0; i < length; i++) values[to + i] = (values[to + i] ?? 0) + (values[from + i] ?? 0);
  }

  #named(name: string): Float32Array {
    const found = this.#weights.get(`downscaler.${name}`) ?? this.#weights.get(`downscaler.${name}_half`);
    if (!found?.length) throw new Error(`A downscaler with ${name} is expected, but the model has none.`);
    return found;
  }

  #image(channels: number): Image {
    const line = this.#size + 2 * FRAME;
    const [channel, row] = [line * 4, line * 4 * channels];
    return { address: this.#reserve(line * line * channels), channel, row, channels };
  }

  /** [out][in][y][x] as the file has them, four outputs together for the kernel. */
  #layer(name: string, inputs: number, outputs: number, kernel: number, bound: number): Layer {
    const from = this.#named(name === "bicubic" ? name : `${name}.weight`);
    const taps = kernel * kernel;
    if (from.length !== outputs * inputs * taps || (outputs > 3 && outputs % 4 > 0)) {
      throw new Error(`${name} of ${outputs}x${inputs}x${taps} weights is expected, but the model has ${from.length}.`);
    }
    const groups = Math.ceil(outputs / 4);
    const [weights, biases] = [this.#reserve(groups * 4 * inputs * taps), this.#reserve(groups * 4)];
    const values = this.floats();
    for (let output = 0; output < outputs; output++) {
      for (let tap = 0; tap < taps; tap++) {
        for (let input = 0; input < inputs; input++) {
          const to = (((output >> 2) * taps + tap) * inputs + input) * 4 + (output & 3);
          values[weights / 4 + to] = from[(output * inputs + input) * taps + tap] ?? 0;
        }
      }
    }
    if (name !== "bicubic") values.set(this.#named(`${name}.bias`), biases / 4);
    const reach = kernel >> 1;
    return (image, to) =>
      this.#kernel.conv(
        image.address + (FRAME - reach) * (image.row + 4),
        image.channel,
        image.row,
        inputs,
        to.address + FRAME * (to.row + 4),
        to.channel,
        to.row,
        weights,
        biases,
        this.#size,
        kernel,
        groups,
        bound,
      );
  }

  #reserve(floats: number): number {
    const address = this.#used;
    this.#used += Math.ceil(floats / 4) * 16;
    const missing = this.#used - this.#kernel.memory.buffer.byteLength;
    if (missing > 0) this.#kernel.memory.grow(Math.ceil(missing / PAGE));
    return address;
  }
}
