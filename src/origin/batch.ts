/** Joins the inputs of several requests along the batch axis, and cuts the outputs apart again. */
import type { Tensor } from "../oip/datatypes.ts";

/**
 * @param requests inputs of each request; the same tensors in each, with equal shapes but for the first axis.
 * @returns one tensor per name, in the order of the first request, with bytes of its own.
 */
export function joinInputs(requests: readonly (readonly Tensor[])[]): Tensor[] {
  const [first = []] = requests;
  return first.map(({ name, datatype, shape: [, ...dims] }) => {
    const parts = requests.map((inputs) => named(inputs, name));
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.byteLength, 0));
    let offset = 0;
    for (const part of parts) {
      bytes.set(part.bytes, offset);
      offset += part.bytes.byteLength;
    }
    return { name, datatype, shape: [rows, ...dims], bytes };
  });
}

/**
 * The share of each request.
 *
 * @param rows batch rows of each request.
 * @throws Error if an output has not one row for each row of the batch.
 */
export function splitOutputs(outputs: readonly Tensor[], rows: readonly number[]): Tensor[][] {
  const total = rows.reduce((sum, count) => sum + count, 0);
  let start = 0;
  return rows.map((count) => {
    const share = outputs.map(({ name, datatype, shape: [batch, ...dims], bytes }) => {
      if (batch !== total) throw new Error(`Expected ${total} rows in ${name}, but the model gave ${batch}.`);
      const stride = bytes.byteLength / total;
      return {
        name,
        datatype,
        shape: [count, ...dims],
        bytes: bytes.subarray(start * stride, (start + count) * stride),
      };
    });
    start += count;
    return share;
  });
}

function named(inputs: readonly Tensor[], name: string): Tensor {
  const input = inputs.find((candidate) => candidate.name === name);
  if (!input) throw new Error(`A request of the batch has no input ${name}.`);
  return input;
}
