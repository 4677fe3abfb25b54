/** Answers of a model of many classes, over the fewer classes of another. */

/**
 * Where each of `wanted` stands among `known`, or undefined if one is missing.
 *
 * @param known labels of a model, in class order.
 */
export function positions(known: readonly string[], wanted: readonly string[]): readonly number[] | undefined {
  const places = new Map(known.map((label, index) => [label, index]));
  const found = wanted.flatMap((label) => places.get(label) ?? []);
  return found.length === wanted.length ? found : undefined;
}

/** Logits of those classes alone, in their order. */
export function narrow(logits: Float32Array, places: readonly number[]): Float32Array {
  return Float32Array.from(places, (place) => logits[place] ?? Number.NaN);
}
