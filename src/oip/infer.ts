/** Whole inference requests and responses, to and from HTTP bodies: what the client and the server call. */
import type { Tensor } from "./datatypes.ts";
import { ProtocolError } from "./error.ts";
import { type Body, joinBody, readTensors, splitBody, tensorMessage } from "./framing.ts";
import { inferRequest, inferResponse, parseMessage, type RequestedOutput } from "./messages.ts";

export interface InferRequest {
  readonly id?: string | undefined;
  readonly inputs: readonly Tensor[];
  /** Empty for every output of the model. */
  readonly outputs: readonly RequestedOutput[];
  /** For outputs that are not asked for one by one. */
  readonly binaryOutput: boolean;
  /** How long the request may wait in the queue, in microseconds. */
  readonly timeout?: number | undefined;
}

export interface InferResponse {
  readonly model: string;
  readonly version?: string | undefined;
  readonly id?: string | undefined;
  readonly outputs: readonly Tensor[];
}

/** @param binary whether the server lists `binary_tensor_data`; then inputs go, and all outputs are asked for, in binary. */
export function encodeInferRequest(inputs: readonly Tensor[], binary: boolean): Body {
  const message = {
    inputs: inputs.map((tensor) => tensorMessage(tensor, binary)),
    ...(binary && { parameters: { binary_data_output: true } }),
  };
  return joinBody(message, binary ? inputs : []);
}

/** What a request is about, without the contents of its tensors. */
export interface Asked {
  readonly inputs: readonly Omit<Tensor, "bytes">[];
  readonly outputs: readonly RequestedOutput[];
}

/**
 * @param check of what is asked, before the contents are unpacked: those of a tensor that nobody takes could be a hundred times
 * as large as the body.
 * @throws ProtocolError 400 naming what is wrong, and what `check` throws.
 */
export function parseInferRequest(
  body: Uint8Array,
  headerLength: string | undefined,
  check: (asked: Asked) => void = () => {},
): InferRequest {
  const { json, binary } = splitBody(body, headerLength);
  const { id, inputs, outputs = [], parameters } = parseMessage(inferRequest, json);
  check({ inputs, outputs });
  return {
    id,
    inputs: readTensors(inputs, binary),
    outputs,
    binaryOutput: parameters?.binary_data_output ?? false,
    timeout: parameters?.timeout,
  };
}

/** @param binary names of the outputs to send in binary. */
export function encodeInferResponse(response: InferResponse, binary: ReadonlySet<string>): Body {
  const { model, version, id, outputs } = response;
  const message = {
    ...(id !== undefined && { id }),
    model_name: model,
    ...(version !== undefined && { model_version: version }),
    outputs: outputs.map((tensor) => tensorMessage(tensor, binary.has(tensor.name))),
  };
  return joinBody(
    message,
    outputs.filter(({ name }) => binary.has(name)),
  );
}

/** @throws ProtocolError 400 if the server's answer breaks the protocol. */
export function parseInferResponse(body: Uint8Array, headerLength: string | undefined): InferResponse {
  const { json, binary } = splitBody(body, headerLength);
  const { model_name: model, model_version, id, outputs } = parseMessage(inferResponse, json);
  return { model, version: model_version ?? undefined, id: id ?? undefined, outputs: readTensors(outputs, binary) };
}

/** The tensor of this name. @throws ProtocolError 400 if there is none. */
export function tensorNamed(tensors: readonly Tensor[], name: string): Tensor {
  const tensor = tensors.find((candidate) => candidate.name === name);
  if (tensor) return tensor;
  throw new ProtocolError(
    400,
    `Expected a tensor ${name}, but got ${tensors.map((other) => other.name).join(", ") || "none"}.`,
  );
}
