/**
 * What the server needs of Triton's model configuration. Fields it does not know are passed over, as they concern Triton's
 * own placement and optimisation.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_configuration.md
 */
import { z } from "zod";
import type { Datatype } from "../oip/datatypes.ts";
import { parseTextProto } from "./text-proto.ts";

export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** Without the batch axis; -1 for an axis of any size. */
  readonly dims: readonly number[];
  /** File beside the configuration with one label a line, for the classification extension. */
  readonly labelFile?: string | undefined;
}

/** One model of an ensemble, with its tensors' names (keys) in those of the ensemble (values). */
export interface EnsembleStep {
  readonly model: string;
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

export interface ModelConfig {
  readonly name: string;
  readonly maxBatchSize: number;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** A batch is complete at this size. */
  readonly preferredBatchSize: number;
  /** How long an incomplete batch waits for more, in microseconds. */
  readonly maxQueueDelayUs: number;
  /** Of an ensemble, which has no file of its own: the models that it runs, in order. */
  readonly steps?: readonly EnsembleStep[] | undefined;
}

/** Triton's names of the datatypes that ONNX models have as inputs and outputs here. */
const DATA_TYPES = {
  TYPE_BOOL: "BOOL",
  TYPE_UINT8: "UINT8",
  TYPE_UINT16: "UINT16",
  TYPE_UINT32: "UINT32",
  TYPE_UINT64: "UINT64",
  TYPE_INT8: "INT8",
  TYPE_INT16: "INT16",
  TYPE_INT32: "INT32",
  TYPE_INT64: "INT64",
  TYPE_FP32: "FP32",
  TYPE_FP64: "FP64",
} as const satisfies Record<string, Datatype>;

const dataType = z.enum(Object.keys(DATA_TYPES) as (keyof typeof DATA_TYPES)[]).transform((name) => DATA_TYPES[name]);

/** A field that may be given once. */
const one = <T extends z.ZodType>(schema: T) => z.tuple([schema]).transform(([value]) => value);

const tensor = z
  .object({
    name: one(z.string().min(1)),
    data_type: one(dataType),
    dims: z.array(z.int().min(-1)),
    label_filename: one(z.string()).optional(),
  })
  .transform(({ name, data_type, dims, label_filename }) => ({
    name,
    datatype: data_type,
    dims,
    labelFile: label_filename,
  }));

const tensorMap = z
  .array(z.object({ key: one(z.string().min(1)), value: one(z.string().min(1)) }))
  .min(1)
  .transform((entries) => new Map(entries.map(({ key, value }) => [key, value])));

const step = z
  .object({ model_name: one(z.string().min(1)), input_map: tensorMap, output_map: tensorMap })
  .transform(({ model_name, input_map, output_map }) => ({
    model: model_name,
    inputs: input_map,
    outputs: output_map,
  }));

const configuration = z.object({
  name: one(z.string()).optional(),
  /** A model of 0, which takes no batch axis, could not be batched, and none of ours is. */
  max_batch_size: one(z.int().min(1)),
  input: z.array(tensor).min(1),
  output: z.array(tensor).min(1),
  dynamic_batching: one(
    z.object({
      preferred_batch_size: z.array(z.int().min(1)).default([]),
      max_queue_delay_microseconds: one(z.int().min(0)).default(0),
    }),
  ).optional(),
  ensemble_scheduling: one(z.object({ step: z.array(step).min(1) })).optional(),
});

/**
 * Reads a `config.pbtxt`.
 *
 * @param folder name of the model's folder, which is the model's name unless the configuration repeats it.
 * @throws Error naming the model and each fault.
 */
export function parseModelConfig(text: string, folder: string): ModelConfig {
  const result = configuration.safeParse(readText(text, folder));
  if (!result.success) throw new Error(`${folder}/config.pbtxt is not valid:\n${z.prettifyError(result.error)}`);
  const { name = folder, max_batch_size, input, output, dynamic_batching: batching } = result.data;
  const steps = result.data.ensemble_scheduling?.step;
  if (name !== folder) throw new Error(`${folder}/config.pbtxt names the model "${name}", expected "${folder}".`);
  return {
    name,
    maxBatchSize: max_batch_size,
    inputs: input,
    outputs: output,
    preferredBatchSize: Math.min(max_batch_size, ...(batching?.preferred_batch_size ?? [])),
    maxQueueDelayUs: batching?.max_queue_delay_microseconds ?? 0,
    ...(steps && { steps }),
  };
}

function readText(text: string, folder: string): unknown {
  try {
    return parseTextProto(text);
  } catch (cause) {
    throw new Error(`${folder}/config.pbtxt: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
