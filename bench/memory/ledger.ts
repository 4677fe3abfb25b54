/**
 * Counts the WebAssembly memories of an isolate. Import it before anything that instantiates WebAssembly.
 *
 * Every memory is counted from its creation until it is collected, at its present size; the peak is looked at whenever one is
 * made or grows through JavaScript (which is how emscripten's codecs and ONNX Runtime grow), and whenever it is asked for.
 */
const memories = new Set<WeakRef<WebAssembly.Memory>>();
let peak = 0;

/** Bytes now, and at most so far. */
export function wasmBytes(): { now: number; peak: number } {
  let now = 0;
  for (const reference of memories) {
    const memory = reference.deref();
    if (memory) now += memory.buffer.byteLength;
    else memories.delete(reference);
  }
  peak = Math.max(peak, now);
  return { now, peak };
}

function track(memory: unknown): void {
  if (!(memory instanceof Memory)) return;
  for (const reference of memories) if (reference.deref() === memory) return;
  memories.add(new WeakRef(memory));
  wasmBytes();
}

const { Memory, Instance, instantiate } = WebAssembly;

const grow = Memory.prototype.grow;
Reflect.set(Memory.prototype, "grow", function (this: WebAssembly.Memory, delta: number) {
  const before = grow.call(this, delta);
  wasmBytes();
  return before;
});
Reflect.set(
  WebAssembly,
  "Memory",
  new Proxy(Memory, {
    construct(target, parameters) {
      const memory = Reflect.construct(target, parameters);
      track(memory);
      return memory;
    },
  }),
);
Reflect.set(
  WebAssembly,
  "Instance",
  new Proxy(Instance, {
    construct(target, parameters) {
      const instance = Reflect.construct(target, parameters);
      for (const exported of Object.values(instance.exports)) track(exported);
      return instance;
    },
  }),
);
Reflect.set(WebAssembly, "instantiate", async (...parameters: unknown[]) => {
  const result: unknown = await Reflect.apply(instantiate, WebAssembly, parameters);
  const instance = result instanceof Instance ? result : Reflect.get(Object(result), "instance");
  if (instance instanceof Instance) for (const exported of Object.values(instance.exports)) track(exported);
  return result;
});
