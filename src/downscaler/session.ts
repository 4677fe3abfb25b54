/** From ONNX bytes to a `RunModel`, the same for onnxruntime-web and onnxruntime-node: both speak onnxruntime-common. */
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import type { ModelCard } from "./card.ts";
import type { RunModel } from "./downscaler.ts";

interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/**
 * Creates a session and checks that the graph has the tensors its card promises.
 *
 * @throws Error if the model does not load, or does not fit its card.
 */
export async function loadModel(
  ort: OnnxRuntime,
  card: ModelCard,
  bytes: Uint8Array,
  options: InferenceSession.SessionOptions = {},
): Promise<RunModel> {
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: "all", ...options });
  const { input, output } = card;
  if (!session.inputNames.includes(input.name) || !session.outputNames.includes(output.name)) {
    throw new Error(
      `${card.name} should have input ${input.name} and output ${output.name}, but its graph has ` +
        `${session.inputNames.join(", ")} and ${session.outputNames.join(", ")}.`,
    );
  }
  return async (data, shape) => {
    const results = await session.run({ [input.name]: new ort.Tensor("uint8", data, shape) });
    const result = results[output.name];
    if (!(result?.data instanceof Uint8Array)) throw new Error(`${card.name} gave no uint8 output ${output.name}.`);
    return result.data;
  };
}
