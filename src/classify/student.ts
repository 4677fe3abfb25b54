/** S, the student: what the edge knows of the model that runs at the origin. */
import type { ModelCard } from "../downscaler/card.ts";
import type { Calibration } from "./calibration.ts";

export interface Student {
  readonly card: ModelCard;
  /** In class order. */
  readonly labels: readonly string[];
  /** Divides the logits; 1 if no calibration fits the model's file. */
  readonly temperature: number;
}

/** What a runtime brings for classification. */
export interface ClassifyModels {
  readonly students: readonly Student[];
  /** Confidence below which `adaptive=auto` asks a larger model. */
  readonly threshold: number;
}

/**
 * @param labels contents of the card's label file, one a line.
 * @throws Error if the card is no student's or has another number of classes: a fault of the deployment.
 */
export function createStudent(card: ModelCard, labels: string, calibration?: Calibration): Student {
  const lines = labels.replace(/\r?\n$/, "").split(/\r?\n/);
  if (card.role !== "student" || card.downscaler === null || card.classes !== lines.length) {
    throw new Error(
      `Expected a student of ${lines.length} classes with a downscaler, but ${card.name} is a ${card.role} of ${card.classes}.`,
    );
  }
  const fitted = calibration?.models[card.name];
  return { card, labels: lines, temperature: fitted?.sha256 === card.sha256 ? fitted.temperature : 1 };
}

/** Side of the thumbnails that it reads, in pixels. */
export function sideOf({ card }: Student): number {
  return card.input.shape[1] ?? 0;
}
