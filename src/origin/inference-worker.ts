/**
 * The thread that runs models. onnxruntime-node's `run` blocks its thread until the batch is done, so on the main thread
 * no request could be read meanwhile.
 */
import { parentPort, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import type { Datatype, Tensor } from "../oip/datatypes.ts";
import { alignedBuffer } from "../oip/datatypes.ts";
import type { EnsembleStep, TensorSpec } from "./model-config.ts";

/** What the thread is started with. */
export interface WorkerSetup {
  readonly models: readonly {
    name: string;
    /** Absent for an ensemble, which has steps instead. */
    file: string | undefined;
    inputs: readonly TensorSpec[];
    outputs: readonly TensorSpec[];
    steps: readonly EnsembleStep[] | undefined;
  }[];
  readonly provider: string;
  readonly threads: number;
}

export interface WorkerJob {
  readonly model: string;
  /** One batch; the bytes are transferred. */
  readonly inputs: readonly Tensor[];
}

/** `inferMs` is the time in onnxruntime alone. */
export type WorkerReply = { ready: true } | { outputs: Tensor[]; inferMs: number } | { error: string };

const ORT_TYPES = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP32: "float32",
  FP64: "float64",
} as const satisfies Partial<Record<Datatype, ort.Tensor.Type>>;

const VIEWS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<keyof typeof ORT_TYPES, unknown>;

const isServed = (datatype: Datatype): datatype is keyof typeof ORT_TYPES => datatype in ORT_TYPES;

function toOrt({ name, datatype, shape, bytes }: Tensor): ort.Tensor {
  if (!isServed(datatype)) throw new Error(`${name} is ${datatype}, which is not served.`);
  const view: ort.Tensor.DataType = new VIEWS[datatype](alignedBuffer(bytes));
  return new ort.Tensor(ORT_TYPES[datatype], view, shape);
}

/** Copies, as the memory belongs to onnxruntime and cannot be transferred to another thread. */
function fromOrt(name: string, datatype: Datatype, tensor: ort.Tensor | undefined): Tensor {
  const data = tensor?.data;
  if (!tensor || !ArrayBuffer.isView(data)) throw new Error(`The model gave no tensor ${name}.`);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return { name, datatype, shape: tensor.dims, bytes };
}

type Tensors = Record<string, ort.Tensor>;

interface Loaded {
  readonly run: (feeds: Tensors) => Promise<Tensors>;
  readonly outputs: readonly TensorSpec[];
}

async function load({ models, provider, threads }: WorkerSetup) {
  const loaded = new Map<string, Loaded>();
  for (const { name, file, inputs, outputs, steps } of models) {
    if (file === undefined) {
      loaded.set(name, { run: (feeds) => runSteps(steps ?? [], feeds), outputs });
      continue;
    }
    const session = await ort.InferenceSession.create(file, {
      executionProviders: [provider],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
    });
    expectTensors(name, "inputs", inputs, session.inputMetadata);
    expectTensors(name, "outputs", outputs, session.outputMetadata);
    loaded.set(name, { run: async (feeds) => tensorsOf(await session.run(feeds)), outputs });
  }
  return loaded;
}

/** Tensors go from model to model as they are; only the last ones leave the thread. */
async function runSteps(steps: readonly EnsembleStep[], feeds: Tensors): Promise<Tensors> {
  const known = { ...feeds };
  for (const { model, inputs, outputs } of steps) {
    const results = await modelNamed(model).run(renamed(inputs, (own, name) => [own, known[name]]));
    Object.assign(
      known,
      renamed(outputs, (own, name) => [name, results[own]]),
    );
  }
  return known;
}

function renamed(
  names: ReadonlyMap<string, string>,
  pick: (own: string, name: string) => [string, ort.Tensor | undefined],
): Tensors {
  return tensorsOf(Object.fromEntries([...names].map(([own, name]) => pick(own, name))));
}

function tensorsOf(values: Record<string, ort.OnnxValue | undefined>): Tensors {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value instanceof ort.Tensor ? [[name, value]] : [])),
  );
}

/** A configuration that does not describe its graph is found at start, not by the first request. */
function expectTensors(
  model: string,
  side: string,
  specs: readonly TensorSpec[],
  found: readonly ort.InferenceSession.ValueMetadata[],
): void {
  for (const { name, datatype } of specs) {
    const type = isServed(datatype) ? ORT_TYPES[datatype] : undefined;
    if (found.some((value) => value.isTensor && value.name === name && value.type === type)) continue;
    const names = found.map((value) => `${value.name} ${value.isTensor ? value.type : "(no tensor)"}`);
    throw new Error(
      `Model ${model}: expected ${name} ${type} among the graph's ${side}, but it has ${names.join(", ")}.`,
    );
  }
}

const port = parentPort;
if (!port) throw new Error("This file is the entry of a worker thread.");
const setup: WorkerSetup = workerData;
const models = await load(setup);

function modelNamed(name: string): Loaded {
  const loaded = models.get(name);
  if (!loaded) throw new Error(`There is no model ${name}.`);
  return loaded;
}

port.on("message", async ({ model, inputs }: WorkerJob) => {
  try {
    const loaded = modelNamed(model);
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, toOrt(input)]));
    const start = performance.now();
    const results = await loaded.run(feeds);
    const inferMs = performance.now() - start;
    const outputs = loaded.outputs.map(({ name, datatype }) => fromOrt(name, datatype, results[name]));
    reply({ outputs, inferMs }, outputs);
  } catch (error) {
    reply({ error: error instanceof Error ? error.message : String(error) });
  }
});
reply({ ready: true });

function reply(message: WorkerReply, moved: readonly Tensor[] = []): void {
  port?.postMessage(
    message,
    moved.map(({ bytes }) => alignedBuffer(bytes)),
  );
}
