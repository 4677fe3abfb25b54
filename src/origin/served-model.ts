/** One model as requests meet it: checked, batched, counted, answered. */
import { byteSize, type Tensor } from "../oip/datatypes.ts";
import { ProtocolError } from "../oip/error.ts";
import { type InferRequest, type InferResponse, tensorNamed } from "../oip/infer.ts";
import type { RequestedOutput } from "../oip/messages.ts";
import { classify } from "./classification.ts";
import type { ModelConfig } from "./model-config.ts";
import type { Model } from "./repository.ts";
import { checkRequest } from "./request-check.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Failure, type ModelStatistics, recordFailure } from "./statistics.ts";

export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly config: ModelConfig;
  readonly labels: Model["labels"];
  readonly statistics: ModelStatistics;
  readonly scheduler: Scheduler;
}

/** Counts what `work` throws. */
export async function observe<T>(model: ServedModel, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } catch (error) {
    recordFailure(model.statistics, failureOf(error), performance.now() - start);
    throw error;
  }
}

/** @throws ProtocolError with the status that the client gets. */
export async function serve(
  model: ServedModel,
  request: InferRequest,
  maxTimeoutMs: number,
  isGone: () => boolean,
): Promise<{ response: InferResponse; binary: ReadonlySet<string> }> {
  const { name, version, config, labels, scheduler } = model;
  const rows = checkRequest(request, config);
  const timeoutMs = Math.min(maxTimeoutMs, request.timeout ? request.timeout / 1000 : maxTimeoutMs);
  const results = await scheduler.infer(name, request.inputs, rows, { timeoutMs, isGone });
  // Like Triton, the request's own `binary_data_output` counts only when no output is asked for by name.
  const wanted: readonly RequestedOutput[] =
    request.outputs.length > 0
      ? request.outputs
      : config.outputs.map((output) => ({ name: output.name, parameters: { binary_data: request.binaryOutput } }));
  const outputs = new Map<string, Tensor>();
  const binary = new Set<string>();
  for (const { name: output, parameters } of wanted) {
    const k = parameters?.classification ?? 0;
    const result = tensorNamed(results, output);
    outputs.set(output, k > 0 ? classify(result, k, labels.get(output)) : result);
    if (parameters?.binary_data) binary.add(output);
  }
  return { response: { model: name, version, id: request.id, outputs: [...outputs.values()] }, binary };
}

/**
 * A body without any JSON (`Inference-Header-Content-Length: 0`): the bytes are the one input, and the answer is binary.
 *
 * @throws ProtocolError 400 if the model has several inputs or these are not the bytes of whole rows.
 */
export function rawRequest({ name, inputs }: ModelConfig, body: Uint8Array): InferRequest {
  const [input, ...others] = inputs;
  const rowBytes = input && byteSize(input.datatype, input.dims);
  if (!input || others.length > 0 || !rowBytes || input.dims.includes(-1)) {
    throw new ProtocolError(400, `raw input is not possible for model '${name}'`);
  }
  if (body.byteLength !== rowBytes) {
    throw new ProtocolError(
      400,
      `input byte size mismatch for raw input of model '${name}'. Expected ${rowBytes}, got ${body.byteLength}`,
    );
  }
  const tensor: Tensor = { name: input.name, datatype: input.datatype, shape: [1, ...input.dims], bytes: body };
  return { inputs: [tensor], outputs: [], binaryOutput: true };
}

function failureOf(error: unknown): Failure {
  const status = error instanceof ProtocolError ? error.status : 500;
  if (status === 503) return "REJECTED";
  if (status === 499) return "CANCELED";
  return status >= 500 ? "BACKEND" : "OTHER";
}
