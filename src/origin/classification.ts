/**
 * Triton's classification extension: the k largest values of an output as text, `value:index` or `value:index:label`.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
 */
import { packByteStrings } from "../oip/byte-strings.ts";
import { float32Values, type Tensor } from "../oip/datatypes.ts";
import { ProtocolError } from "../oip/error.ts";

/** An FP32 output [rows, classes] -> BYTES [rows, min(k, classes)], best first, ties by index. */
export function classify(output: Tensor, k: number, labels: readonly string[] = []): Tensor {
  const [rows = 0, classes = 0] = output.shape;
  if (output.datatype !== "FP32" || output.shape.length !== 2) {
    throw new ProtocolError(400, `classification needs an FP32 output [rows, classes], but ${output.name} is not`);
  }
  const values = float32Values(output);
  const count = Math.min(k, classes);
  const encoder = new TextEncoder();
  const elements = Array.from({ length: rows }, (_, row) => {
    const scores = values.subarray(row * classes, (row + 1) * classes);
    const ranked = Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
    return ranked.slice(0, count).map((index) => {
      const label = labels[index];
      return encoder.encode(`${(scores[index] ?? 0).toFixed(6)}:${index}${label === undefined ? "" : `:${label}`}`);
    });
  }).flat();
  return { name: output.name, datatype: "BYTES", shape: [rows, count], bytes: packByteStrings(elements) };
}
