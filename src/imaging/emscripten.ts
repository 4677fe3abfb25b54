import type { CodecName, LoadCodec } from "./image.ts";
import type { LinearMemory } from "./linear-memory.ts";

interface FactoryOptions {
  noInitialRun: boolean;
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): WebAssembly.Exports;
  print(): void;
  printErr(): void;
}

/** The factory that Emscripten writes next to a module; only what is used here. */
type Factory<Module> = (options: FactoryOptions) => Promise<Module>;

/**
 * A codec built with Emscripten, in a linear memory that it shares with others.
 *
 * jSquash's own wrappers keep one instance for ever, also after it has trapped, and let it grow to 2 GB; so the
 * factories are called from here. A file that makes the codec ask for more than the memory's maximum is answered "out of
 * memory" inside the codec.
 */
export class EmscriptenCodec<Module extends object> {
  readonly #name: CodecName;
  readonly #factory: Factory<Module>;
  readonly #memory: LinearMemory;

  constructor(name: CodecName, factory: Factory<Module>, memory: LinearMemory) {
    this.#name = name;
    this.#factory = factory;
    this.#memory = memory;
  }

  /** Runs `use` on an instance that no failure has touched. Throws what `use` throws. */
  async run<Result>(loadCodec: LoadCodec, use: (module: Module) => Result): Promise<Result> {
    const compiled = await loadCodec(this.#name);
    return this.#memory.run(this, (memory) => this.#create(compiled, memory), use);
  }

  #create(compiled: WebAssembly.Module, memory: WebAssembly.Memory): Module {
    const options: FactoryOptions = {
      noInitialRun: true,
      instantiateWasm: (imports, done) => {
        const instance = new WebAssembly.Instance(compiled, { ...imports, env: { memory } });
        done(instance);
        return instance.exports;
      },
      print: () => {},
      printErr: () => {},
    };
    // The factory fills the object that it is given, and has done so when it returns; its promise only tells of it later.
    this.#factory(options).catch(() => {});
    return options as unknown as Module;
  }
}
