/** S, the student, and T, the teacher: what the edge knows of the models that run at the origin. */
import type { ModelCard } from "../downscaler/card.ts";
import type { Downscaler } from "../downscaler/downscaler.ts";
import type { Calibration } from "./calibration.ts";

export interface Student {
  readonly card: ModelCard;
  /** In class order. */
  readonly labels: readonly string[];
  /** Divides the logits; 1 if no calibration fits the model's file. */
  readonly temperature: number;
  /** Of `adaptive=auto`: the confidence from which its answer stands. */
  readonly threshold: number;
}

/** For a model that no calibration fits. */
const UNCALIBRATED = { temperature: 1, threshold: 0.9 };

/** What a runtime brings for classification. */
export interface ClassifyModels {
  /** The teacher among them, if the deployment has it. */
  readonly students: readonly Student[];
  /** What the teacher reads in place of thumbnails. */
  readonly whole: readonly Downscaler[];
}

/**
 * @param labels contents of the card's label file, one a line.
 * @throws Error if the card is no student's or has another number of classes: a fault of the deployment.
 */
export function createStudent(card: ModelCard, labels: string, calibration?: Calibration): Student {
  const lines = labels.replace(/\r?\n$/, "").split(/\r?\n/);
  const reads = card.role === "teacher" || (card.role === "student" && card.downscaler !== null);
  if (!reads || card.classes !== lines.length) {
    throw new Error(
      `Expected a student of ${lines.length} classes with a downscaler, or a teacher, but ${card.name} is a ${card.role} of ${card.classes}.`,
    );
  }
  const fitted = calibration?.models[card.name];
  const { temperature, threshold } = fitted?.sha256 === card.sha256 ? fitted : UNCALIBRATED;
  return { card, labels: lines, temperature, threshold };
}

/** Side of the pictures that it reads, in pixels. */
export function sideOf({ card }: Student): number {
  return card.input.shape[1] ?? 0;
}
