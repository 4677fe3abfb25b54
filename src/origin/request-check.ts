/** Holds a request against the model it names: tensors, datatypes, shapes and the batch, as Triton does. */
import { ProtocolError } from "../oip/error.ts";
import type { Asked } from "../oip/infer.ts";
import type { ModelConfig, TensorSpec } from "./model-config.ts";

/**
 * @returns the number of batch rows, which all inputs share.
 * @throws ProtocolError 400 that says what was expected and what came.
 */
export function checkRequest({ inputs, outputs }: Asked, { name, maxBatchSize, ...model }: ModelConfig): number {
  const names = inputs.map((input) => input.name);
  for (const input of inputs) {
    const spec = model.inputs.find((candidate) => candidate.name === input.name);
    if (!spec) throw new ProtocolError(400, `unexpected inference input '${input.name}' for model '${name}'`);
    checkTensor(input, spec, name);
  }
  const missing = model.inputs.filter((spec) => !names.includes(spec.name)).map((spec) => `'${spec.name}'`);
  if (missing.length > 0 || new Set(names).size !== names.length) {
    const got = `got [${names.map((given) => `'${given}'`)}]`;
    throw new ProtocolError(
      400,
      `expected ${model.inputs.length} inputs for model '${name}' but ${got}, missing [${missing}]`,
    );
  }
  for (const output of outputs) {
    if (model.outputs.some((spec) => spec.name === output.name)) continue;
    throw new ProtocolError(400, `unexpected inference output '${output.name}' for model '${name}'`);
  }
  const wanted = outputs.map((output) => output.name);
  const twice = wanted.find((output, i) => wanted.indexOf(output) < i);
  if (twice !== undefined) {
    throw new ProtocolError(400, `inference output '${twice}' for model '${name}' is requested more than once`);
  }
  const [rows = 0, ...others] = new Set(inputs.map(({ shape }) => shape[0] ?? 0));
  if (others.length > 0) throw new ProtocolError(400, `the inputs for model '${name}' differ in their batch size`);
  if (rows >= 1 && rows <= maxBatchSize) return rows;
  throw new ProtocolError(
    400,
    `inference request batch-size must be from 1 to ${maxBatchSize} for '${name}', got ${rows}`,
  );
}

function checkTensor({ name, datatype, shape }: Asked["inputs"][number], spec: TensorSpec, model: string): void {
  if (datatype !== spec.datatype) {
    throw new ProtocolError(
      400,
      `inference input '${name}' data-type is '${datatype}', but model '${model}' expects '${spec.datatype}'`,
    );
  }
  const [, ...dims] = shape;
  const fits =
    dims.length === spec.dims.length && spec.dims.every((expected, axis) => expected === -1 || expected === dims[axis]);
  if (fits) return;
  throw new ProtocolError(
    400,
    `unexpected shape for input '${name}' for model '${model}'. Expected [-1,${spec.dims}], got [${shape}]`,
  );
}
