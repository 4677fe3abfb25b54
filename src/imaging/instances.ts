/** Keeps one idle instance of a wasm codec between calls, and only a healthy, small one. */
export class InstanceSlot<Instance> {
  readonly #memory: (instance: Instance) => WebAssembly.Memory;
  #idle: Instance | undefined;

  constructor(memory: (instance: Instance) => WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** The idle instance, if there is one; it is nobody else's from now on. */
  take(): Instance | undefined {
    const instance = this.#idle;
    this.#idle = undefined;
    return instance;
  }

  /**
   * Gives back an instance that has done its work. One that has grown large is dropped, because linear memory never
   * shrinks.
   */
  put(instance: Instance): void {
    if (this.#memory(instance).buffer.byteLength <= KEEP_BYTES) this.#idle = instance;
  }

  /**
   * Lends the idle instance, or a new one, to `use`. An instance that threw or trapped may hold any state (and whatever
   * it had allocated), so it is not put back. A codec that says no in good order may stay: were it to leak, it would
   * grow too large.
   */
  async lend<Result>(create: () => Promise<Instance>, use: (instance: Instance) => Result): Promise<Result> {
    const instance = this.take() ?? (await create());
    const result = use(instance);
    this.put(instance);
    return result;
  }
}

// Emscripten's modules start at 16 MB and grow by a fifth.
const KEEP_BYTES = 20 * 2 ** 20;
