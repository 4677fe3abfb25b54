import { DECODER_MEMORY } from "./limits.ts";

const WASM_PAGE = 65_536;

/**
 * Static data and stack of the codec with the most of them (libaom's encoder: 6.2 MB). What lies above is only ever handed out by a
 * codec's `malloc`, which promises nothing of its content.
 */
const STATIC_BYTES = 95 * WASM_PAGE;

/** A codec failed that had asked for more memory than there is. */
export class OutOfMemory extends Error {
  override readonly name = "OutOfMemory";
}

/** Remembers whether it refused to grow the last time: what a codec makes of that looks like what it makes of a damaged file. */
class BoundedMemory extends WebAssembly.Memory {
  refused = false;

  override grow(pages: number): number {
    this.refused = true;
    const before = super.grow(pages);
    this.refused = false;
    return before;
  }
}

/**
 * One WebAssembly memory for all codecs that take turns in it, so that what they hold is bounded by its maximum, whatever
 * happens: no instance leaves a memory behind that waits for the garbage collector.
 *
 * It never shrinks. An instance lives in it until another codec moves in, or until it throws: after a trap it may be in any
 * state.
 */
export class LinearMemory {
  readonly #limits: { readonly initial: number; readonly maximum: number };
  #memory: BoundedMemory | undefined;
  #tenant: { readonly codec: object; readonly instance: unknown } | undefined;

  /** @param maximum in bytes. */
  constructor(maximum: number) {
    this.#limits = { initial: STATIC_BYTES / WASM_PAGE, maximum: Math.floor(maximum / WASM_PAGE) };
  }

  /**
   * Runs `use` on the instance of `codec` that lives here, or on one that `create` makes over this memory. Throws what they
   * throw, or `OutOfMemory`. Both are synchronous: nobody else can move in meanwhile.
   */
  run<Instance, Result>(
    codec: object,
    create: (memory: WebAssembly.Memory) => Instance,
    use: (instance: Instance) => Result,
  ): Result {
    this.#memory ??= new BoundedMemory(this.#limits);
    const memory = this.#memory;
    const tenant = this.#tenant;
    this.#tenant = undefined;
    const instance = tenant?.codec === codec ? (tenant.instance as Instance) : create(cleared(memory));
    memory.refused = false;
    try {
      const result = use(instance);
      this.#tenant = { codec, instance };
      return result;
    } catch (cause) {
      throw memory.refused ? new OutOfMemory("The codec ran out of memory.", { cause }) : cause;
    }
  }
}

/** The memory as an instance expects it: zeros where its static data will be. */
function cleared(memory: WebAssembly.Memory): WebAssembly.Memory {
  new Uint8Array(memory.buffer, 0, STATIC_BYTES).fill(0);
  return memory;
}

/** Where all photos are decoded, one after the other. */
export const decoderMemory = new LinearMemory(DECODER_MEMORY);

/** Where thumbnails are encoded. */
export const encoderMemory = new LinearMemory(16 * 2 ** 20);
