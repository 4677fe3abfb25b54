/** Keeps one idle instance of a wasm codec between calls, and only a healthy, small one. */
export class InstanceSlot<Instance> {
  readonly #memory: (instance: Instance) => WebAssembly.Memory;
  #idle: Instance | undefined;

  constructor(memory: (instance: Instance) => WebAssembly.Memory) {
    this.#memory = memory;
  }

  /**
   * Lends the idle instance, or a new one, to `use`. An instance that threw or trapped may hold any state (and whatever it
   * had allocated), so it is never lent again; nor is one that has grown large, because linear memory never shrinks.
   */
  async lend<Result>(create: () => Promise<Instance>, use: (instance: Instance) => Result): Promise<Result> {
    const instance = this.#idle ?? (await create());
    this.#idle = undefined;
    const result = use(instance);
    if (this.#memory(instance).buffer.byteLength <= KEEP_BYTES) this.#idle = instance;
    return result;
  }
}

// Emscripten's modules start at 16 MB and grow by a fifth.
const KEEP_BYTES = 20 * 2 ** 20;
