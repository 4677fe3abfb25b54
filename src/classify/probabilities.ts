/** From logits to what a client reads. */

export interface Prediction {
  readonly label: string;
  /** Of the class, in the model's order. */
  readonly index: number;
  /** 0..1; over all classes they sum to 1. */
  readonly probability: number;
}

/**
 * Softmax of `logits / temperature`.
 *
 * @param temperature above 0; 1 leaves the model's own confidence, a fitted one calibrates it (arXiv 1706.04599).
 */
export function softmax(logits: Float32Array, temperature = 1): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  // Subtracting the largest keeps every exponent at or below 0, so nothing overflows.
  const exponentials = Float64Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** The `k` most probable classes, best first, ties by index; fewer if there are fewer. */
export function topK(probabilities: Float64Array, labels: readonly string[], k: number): Prediction[] {
  return Array.from(probabilities, (probability, index) => ({
    label: labels[index] ?? String(index),
    index,
    probability,
  }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, k);
}

/** Index of the class with the highest logit. */
export function bestOf(logits: Float32Array): number {
  return logits.reduce((best, logit, index) => (logit > (logits[best] ?? Number.NEGATIVE_INFINITY) ? index : best), 0);
}
