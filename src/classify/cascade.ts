/**
 * The adaptive cascade: the smallest thumbnail first, a larger one only where the answer is not sure enough.
 *
 * The idea is that of early exits and model cascades; with thumbnails it saves bytes as well as FLOPs, because the larger
 * thumbnail is not even made unless it is needed.
 */
import { softmax } from "./probabilities.ts";

/** One model of the cascade, by its place: smallest first. */
export interface Stage<Answer> {
  readonly name: string;
  /** Divides the logits; 1 if the model is not calibrated. */
  readonly temperature: number;
  /** Calibrated confidence from which its answer stands: 0 always stands, above 1 never does. */
  readonly threshold: number;
  /** Asks the model. */
  readonly run: () => Promise<Answer>;
}

export interface StageOutcome<Answer> {
  readonly name: string;
  readonly answer: Answer;
  /** Calibrated probability of the best class. */
  readonly confidence: number;
}

/** The calibrated probability of the best class. */
export function confidenceOf(logits: Float32Array, temperature: number): number {
  return softmax(logits, temperature).reduce((a, b) => Math.max(a, b), 0);
}

/**
 * Runs stages until one is sure enough, or none is left. The last that ran has the say: where a larger model is unsure as well
 * it is still the better judge.
 *
 * @returns every stage that ran, the deciding one last.
 */
export async function runCascade<Answer extends { readonly logits: Float32Array }>(
  stages: readonly Stage<Answer>[],
): Promise<StageOutcome<Answer>[]> {
  const outcomes: StageOutcome<Answer>[] = [];
  for (const { name, temperature, threshold, run } of stages) {
    const answer = await run();
    const confidence = confidenceOf(answer.logits, temperature);
    outcomes.push({ name, answer, confidence });
    if (confidence >= threshold) break;
  }
  return outcomes;
}

/** What one image costs at one stage, and what the stage said of it. */
export interface StageRecord {
  readonly confidence: number;
  readonly correct: boolean;
  /** Sent to the origin. */
  readonly bytes: number;
  /** Multiply-adds of all models run for this stage alone. */
  readonly flops: number;
}

export interface CascadeCost {
  /** Of each stage but the last. */
  readonly thresholds: readonly number[];
  readonly accuracy: number;
  readonly meanBytes: number;
  readonly meanFlops: number;
  /** Share of the images that each stage decided. */
  readonly decided: readonly number[];
}

/**
 * What the cascade would have cost and scored, from records of every stage for every image.
 *
 * @param images one record a stage, smallest first.
 * @param thresholds one for each stage but the last.
 */
export function simulateCascade(
  images: readonly (readonly StageRecord[])[],
  thresholds: readonly number[],
): CascadeCost {
  const decided: number[] = [];
  let correct = 0;
  let bytes = 0;
  let flops = 0;
  for (const stages of images) {
    const sure = stages.findIndex(({ confidence }, stage) => confidence >= (thresholds[stage] ?? 0));
    const last = sure < 0 ? stages.length - 1 : sure;
    decided[last] = (decided[last] ?? 0) + 1;
    correct += stages[last]?.correct ? 1 : 0;
    for (const stage of stages.slice(0, last + 1)) {
      bytes += stage.bytes;
      flops += stage.flops;
    }
  }
  const count = images.length;
  return {
    thresholds,
    accuracy: correct / count,
    meanBytes: bytes / count,
    meanFlops: flops / count,
    decided: Array.from({ length: images[0]?.length ?? 0 }, (_, stage) => (decided[stage] ?? 0) / count),
  };
}
