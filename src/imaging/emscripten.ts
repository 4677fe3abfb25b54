import type { CodecName, LoadCodec } from "./image.ts";
import { InstanceSlot } from "./instances.ts";

/** The factory that Emscripten writes next to a module; only what is used here. */
type Factory<Module> = (options: {
  noInitialRun: boolean;
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): WebAssembly.Exports;
  print(): void;
  printErr(): void;
}) => Promise<Module>;

interface Running<Module> {
  readonly module: Module;
  readonly memory: WebAssembly.Memory;
}

const WASM_PAGE = 65_536;

/**
 * A codec built with Emscripten, its linear memory bounded.
 *
 * jSquash's own wrappers keep one instance for ever, also after it has trapped, and let it grow to 2 GB; so the
 * factories are called from here. A file that makes the codec ask for more than `maxMemory` bytes is answered "out of
 * memory" inside the codec.
 */
export class EmscriptenCodec<Module> {
  readonly #name: CodecName;
  readonly #factory: Factory<Module>;
  readonly #maxMemory: number;
  readonly #slot = new InstanceSlot<Running<Module>>(({ memory }) => memory);

  constructor(name: CodecName, factory: Factory<Module>, maxMemory: number) {
    this.#name = name;
    this.#factory = factory;
    this.#maxMemory = maxMemory;
  }

  /** Runs `use` on an instance that no failure has touched. Throws what `use` throws. */
  run<Result>(loadCodec: LoadCodec, use: (module: Module) => Result): Promise<Result> {
    return this.#slot.lend(
      () => this.#create(loadCodec),
      ({ module }) => use(module),
    );
  }

  async #create(loadCodec: LoadCodec): Promise<Running<Module>> {
    const compiled = await loadCodec(this.#name);
    let memory: WebAssembly.Memory | undefined;
    const module = await this.#factory({
      noInitialRun: true,
      instantiateWasm: (imports, done) => {
        const instance = new WebAssembly.Instance(compiled, imports);
        memory = Object.values(instance.exports).find((item) => item instanceof WebAssembly.Memory);
        if (memory) this.#bound(memory);
        done(instance);
        return instance.exports;
      },
      print: () => {},
      printErr: () => {},
    });
    if (!memory) throw new Error(`${this.#name} exports no memory`);
    return { module, memory };
  }

  /** Emscripten grows the memory through this method, and takes a throw for "no more memory". */
  #bound(memory: WebAssembly.Memory): void {
    const grow = memory.grow.bind(memory);
    memory.grow = (pages) => {
      if (memory.buffer.byteLength + pages * WASM_PAGE > this.#maxMemory)
        throw new RangeError("the codec's memory is bounded");
      return grow(pages);
    };
  }
}
