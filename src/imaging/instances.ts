/** Keeps one idle instance of a WebAssembly module with a memory of its own between calls, and only a small one. */
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
}

// What the resampler needs for the widest rows.
const KEEP_BYTES = 20 * 2 ** 20;
