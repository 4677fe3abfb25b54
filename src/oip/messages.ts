/**
 * The JSON messages of the Open Inference Protocol v2, with the members of Triton's extensions that we speak:
 * binary_tensor_data, classification and parameters.
 *
 * @see https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
import { z } from "zod";
import { DATATYPES, type Datatype } from "./datatypes.ts";
import { ProtocolError } from "./error.ts";

const DATATYPE_NAMES = Object.keys(DATATYPES).filter((name): name is Datatype => name in DATATYPES);

const datatype = z.enum(DATATYPE_NAMES as [Datatype, ...Datatype[]]);
const name = z.string().min(1);

/** More than models have, and far fewer than a body has room for; zod looks at the length before the elements. */
export const MAX_TENSORS = 64;
export const MAX_AXES = 16;

/** -1 stands for an axis of any size, in metadata only. */
const tensorMetadata = z.object({ name, datatype, shape: z.array(z.int().min(-1)) });

const tensor = z.object({
  name,
  datatype,
  shape: z.array(z.int().nonnegative()).max(MAX_AXES),
  parameters: z.object({ binary_data_size: z.int().nonnegative().optional() }).optional(),
  /** Checked element by element when packed: a schema over ten thousand numbers would cost more than the inference. */
  data: z.unknown().optional(),
});

export const serverMetadata = z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) });

export const modelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()).optional(),
  platform: z.string(),
  inputs: z.array(tensorMetadata),
  outputs: z.array(tensorMetadata),
});

export const requestedOutput = z.object({
  name,
  parameters: z
    .object({ binary_data: z.boolean().optional(), classification: z.int().nonnegative().optional() })
    .optional(),
});

export const inferRequest = z.object({
  id: z.string().optional(),
  parameters: z
    .object({
      binary_data_output: z.boolean().optional(),
      /** Microseconds the request may wait in the queue (Triton's schedule policy extension). */
      timeout: z.int().nonnegative().optional(),
    })
    .optional(),
  inputs: z.array(tensor).min(1).max(MAX_TENSORS),
  outputs: z.array(requestedOutput).max(MAX_TENSORS).optional(),
});

export const inferResponse = z.object({
  model_name: z.string(),
  model_version: z.string().nullish(),
  id: z.string().nullish(),
  outputs: z.array(tensor).max(MAX_TENSORS),
});

export const errorMessage = z.object({ error: z.string() });

export type ServerMetadata = z.infer<typeof serverMetadata>;
export type ModelMetadata = z.infer<typeof modelMetadata>;
export type TensorMetadata = z.infer<typeof tensorMetadata>;
export type TensorMessage = z.infer<typeof tensor>;
export type RequestedOutput = z.infer<typeof requestedOutput>;

/**
 * Parses a JSON message.
 *
 * @throws ProtocolError 400 that says where the text or the message is wrong.
 */
export function parseMessage<T>(schema: z.ZodType<T>, text: Uint8Array): T {
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const faults = result.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join(".") || "message"}: ${message}`);
  throw new ProtocolError(400, faults.join("; "));
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function parseJson(text: Uint8Array): unknown {
  try {
    return JSON.parse(UTF8.decode(text));
  } catch (cause) {
    throw new ProtocolError(400, "The message is not JSON in UTF-8.", cause);
  }
}
