/** Ensembles: models that run one after the other on the server, as Triton's `ensemble` platform has them. */
import type { ModelConfig, TensorSpec } from "./model-config.ts";

/**
 * Follows the tensors through the steps, so that a wrong name is found at start and not by the first request. Triton orders the
 * steps by what they need; here they must be listed in that order.
 *
 * @throws Error naming the ensemble, the step and the tensor.
 */
export function checkEnsemble({ name, inputs, outputs, steps, maxBatchSize }: ModelConfig, models: Models): void {
  if (!steps) return;
  const known = new Map(inputs.map((input) => [input.name, input]));
  for (const step of steps) {
    const model = models.get(step.model);
    if (!model || model.steps)
      throw new Error(`${name}: expected a model that is no ensemble, but got "${step.model}".`);
    if (model.maxBatchSize < maxBatchSize) {
      throw new Error(`${name}: max_batch_size ${maxBatchSize} is above that of ${model.name}, ${model.maxBatchSize}.`);
    }
    for (const input of model.inputs) {
      expectSame(`${name}: input ${input.name} of ${model.name}`, input, known.get(step.inputs.get(input.name) ?? ""));
    }
    for (const [own, tensor] of step.outputs) {
      const output = model.outputs.find((candidate) => candidate.name === own);
      if (!output) throw new Error(`${name}: ${model.name} has no output "${own}".`);
      known.set(tensor, { ...output, name: tensor });
    }
  }
  for (const output of outputs) expectSame(`${name}: output ${output.name}`, output, known.get(output.name));
}

type Models = ReadonlyMap<string, ModelConfig>;

function expectSame(what: string, wanted: TensorSpec, given: TensorSpec | undefined): void {
  const text = ({ datatype, dims }: TensorSpec) => `${datatype} [${dims}]`;
  if (!given) throw new Error(`${what} is given by no step before.`);
  if (text(given) !== text(wanted))
    throw new Error(`${what}: expected ${text(wanted)}, but it is given ${text(given)}.`);
}
