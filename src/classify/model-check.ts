/** Whether an origin's model is the one that the card describes: another would give labels that look right and are wrong. */
import type { ModelCard } from "../downscaler/card.ts";
import type { ModelMetadata, TensorMetadata } from "../oip/messages.ts";
import { OriginError } from "./origin-error.ts";

/** @throws OriginError `wrong-model`. What exactly differs goes to the log. */
export function checkMetadata(found: ModelMetadata, card: ModelCard): void {
  const faults = [
    ...(found.name === card.name ? [] : [`name ${found.name}`]),
    ...tensorFaults("input", found.inputs, card.input),
    ...tensorFaults("output", found.outputs, card.output),
  ];
  if (faults.length === 0) return;
  const cause = new Error(`Expected the model of card ${card.name}, but got ${faults.join(", ")}.`);
  throw new OriginError("wrong-model", "The inference origin's model is not the one its card describes.", cause);
}

type Expected = ModelCard["input"];

function tensorFaults(side: string, found: readonly TensorMetadata[], expected: Expected): string[] {
  const tensor = found.find(({ name }) => name === expected.name);
  if (!tensor || found.length !== 1) return [`${side}s ${found.map(({ name }) => name).join(" and ") || "none"}`];
  const { datatype, shape } = tensor;
  if (datatype === expected.datatype && fits(shape, expected.shape)) return [];
  return [`${side} ${tensor.name} ${datatype} [${shape}]`];
}

/** An axis that the server leaves open can take the card's size; the answer's own shape is checked as well. */
function fits(found: readonly number[], expected: readonly number[]): boolean {
  return found.length === expected.length && expected.every((size, axis) => found[axis] === size || found[axis] === -1);
}
