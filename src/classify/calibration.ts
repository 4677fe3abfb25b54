/**
 * Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", arXiv 1706.04599): one number a model that
 * makes its confidence mean what it says, fitted on validation data.
 */
import { z } from "zod";
import { softmax } from "./probabilities.ts";

const calibrated = z.object({
  /** Divides the logits before the softmax. */
  temperature: z.number().positive(),
  /** Confidence below which the cascade asks a larger model, when a request says `adaptive=auto`. */
  threshold: z.number().min(0).max(1),
  /** Of the model's ONNX file: a calibration holds for that file alone. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Images it was fitted on. */
  images: z.int().positive(),
  /** Expected calibration error over 15 bins, before and after, on images that it was not fitted on. */
  ece: z.object({ before: z.number(), after: z.number() }),
});

export const calibrationFile = z.object({
  schema: z.literal(1),
  /** By model name. */
  models: z.record(z.string(), calibrated),
  how: z.string(),
});

export type Calibration = z.infer<typeof calibrationFile>;

/** Logits of one image and the index of its true class. */
export interface Labelled {
  readonly logits: Float32Array;
  readonly label: number;
}

/** Temperatures beyond these mean that a model is broken, not miscalibrated. */
const COLDEST = 0.05;
const HOTTEST = 20;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The temperature of least negative log-likelihood, by golden-section search on its logarithm. The likelihood has one
 * maximum in the temperature, so the search finds it.
 *
 * @throws Error without images.
 */
export function fitTemperature(images: readonly Labelled[]): number {
  if (images.length === 0) throw new Error("A temperature cannot be fitted to no images.");
  let low = Math.log(COLDEST);
  let high = Math.log(HOTTEST);
  while (high - low > 1e-4) {
    const left = high - GOLDEN * (high - low);
    const right = low + GOLDEN * (high - low);
    if (negativeLogLikelihood(images, Math.exp(left)) < negativeLogLikelihood(images, Math.exp(right))) high = right;
    else low = left;
  }
  return Math.exp((low + high) / 2);
}

/** Mean over the images, in nats. */
export function negativeLogLikelihood(images: readonly Labelled[], temperature: number): number {
  const total = images.reduce((sum, { logits, label }) => {
    const probability = softmax(logits, temperature)[label] ?? 0;
    return sum - Math.log(Math.max(probability, Number.MIN_VALUE));
  }, 0);
  return total / images.length;
}

/** Mean gap between confidence and accuracy, over bins of equal width in confidence, weighted by their images. */
export function expectedCalibrationError(images: readonly Labelled[], temperature: number, bins = 15): number {
  const totals = Array.from({ length: bins }, () => ({ confidence: 0, correct: 0 }));
  for (const { logits, label } of images) {
    const probabilities = softmax(logits, temperature);
    const confidence = Math.max(...probabilities);
    const bin = totals[Math.min(bins - 1, Math.floor(confidence * bins))];
    if (!bin) continue;
    bin.confidence += confidence;
    bin.correct += probabilities.indexOf(confidence) === label ? 1 : 0;
  }
  return totals.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.correct), 0) / images.length;
}
