/** One cascade: temperatures and thresholds fitted on every second photo, everything else reported on the others. */
import {
  type Calibration,
  expectedCalibrationError,
  fitTemperature,
  type Labelled,
} from "../../src/classify/calibration.ts";
import { type CascadeCost, confidenceOf, type StageRecord, simulateCascade } from "../../src/classify/cascade.ts";
import type { ImageAnswers, Stage } from "./answers.ts";

/** Members by their places, alone and together; the last of three is the teacher. */
const CASCADES = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];
const WHOLE = [0, 1, 2];
/** Points of top-1 that thresholds may cost against the teacher, on the photos they are chosen on. */
const LOSSES = [0.5, 1, 1.5, 3];
/** Of the thresholds that go into the calibration. */
const AUTO_LOSS = 1.5;
const GRID = [...Array.from({ length: 100 }, (_, i) => i / 100), 0.995, 0.999];

/** What thresholds are chosen to save: multiply-adds at the origin, or bytes on the way to it. */
export type Saving = "meanFlops" | "meanBytes";

export interface CascadeRow extends CascadeCost {
  readonly cascade: string;
  /** Points that the choice of thresholds allowed; absent where there is nothing to choose. */
  readonly allowedLoss?: number;
  readonly meanOriginFlops: number;
}

export interface MeasuredCascade {
  readonly fitted: number;
  readonly reported: number;
  readonly models: Calibration["models"];
  readonly rows: readonly CascadeRow[];
}

interface Costed extends StageRecord {
  readonly originFlops: number;
}

/** @param stages smallest first, the teacher last. */
export function measureCascade(
  stages: readonly Stage[],
  answers: readonly ImageAnswers[],
  saving: Saving,
): MeasuredCascade {
  const names = stages.map(({ card }) => card.name);
  const [fitted, held] = [answers.filter((_, i) => i % 2 === 0), answers.filter((_, i) => i % 2 === 1)];
  const temperatures = stages.map((_, stage) => fitTemperature(fitted.map((image) => labelled(image, stage))));
  const records = { fitted: fitted.map(recordsOf), held: held.map(recordsOf) };
  const teacher = simulateCascade(members(records.fitted, [2]), []);
  const tries = new Map<string, CascadeCost[]>();

  const rows: CascadeRow[] = [];
  for (const chosen of CASCADES) {
    if (chosen.length === 1) rows.push(measured(chosen, []));
    else for (const loss of LOSSES) rows.push({ ...measured(chosen, choose(chosen, loss)), allowedLoss: loss });
  }
  const auto = choose(WHOLE, AUTO_LOSS);
  const models = Object.fromEntries(stages.map((_, stage) => [names[stage] ?? "", calibrated(stage)]));
  return { fitted: fitted.length, reported: held.length, models, rows };

  function recordsOf({ label, logits }: ImageAnswers): Costed[] {
    return stages.map(({ bytes, flops, originFlops }, stage) => {
      const scores = logits[stage] ?? new Float32Array();
      const confidence = confidenceOf(scores, temperatures[stage] ?? 1);
      return { confidence, correct: scores.indexOf(Math.max(...scores)) === label, bytes, flops, originFlops };
    });
  }

  function measured(chosen: readonly number[], thresholds: readonly number[]): CascadeRow {
    const cascade = chosen.map((stage) => names[stage]).join(" -> ");
    const { meanFlops: meanOriginFlops } = simulateCascade(atOrigin(records.held, chosen), thresholds);
    return { cascade, ...simulateCascade(members(records.held, chosen), thresholds), meanOriginFlops };
  }

  /** The thresholds that save most among those that lose little enough; where none does, those that lose least. */
  function choose(chosen: readonly number[], loss: number): number[] {
    const tried = tryAll(chosen);
    const enough = tried.filter(({ accuracy }) => accuracy >= teacher.accuracy - loss / 100);
    const best = enough.length
      ? enough.reduce((a, b) => (b[saving] < a[saving] ? b : a))
      : tried.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
    return [...best.thresholds];
  }

  /** Every choice of thresholds, on the photos that they are chosen on. */
  function tryAll(chosen: readonly number[]): CascadeCost[] {
    const known = tries.get(String(chosen));
    if (known) return known;
    const grid = chosen
      .slice(1)
      .reduce<number[][]>((lists) => lists.flatMap((list) => GRID.map((value) => [...list, value])), [[]]);
    const images = atOrigin(records.fitted, chosen);
    const tried = grid.map((thresholds) => simulateCascade(images, thresholds));
    tries.set(String(chosen), tried);
    return tried;
  }

  function calibrated(stage: number): Calibration["models"][string] {
    const images = held.map((image) => labelled(image, stage));
    const temperature = rounded(temperatures[stage] ?? 1);
    return {
      temperature,
      threshold: auto[stage] ?? 0,
      sha256: stages[stage]?.card.sha256 ?? "",
      images: fitted.length,
      ece: {
        before: rounded(expectedCalibrationError(images, 1)),
        after: rounded(expectedCalibrationError(images, temperature)),
      },
    };
  }
}

function labelled({ label, logits }: ImageAnswers, stage: number): Labelled {
  return { label, logits: logits[stage] ?? new Float32Array() };
}

/** Records of some of the stages. */
function members<Kind>(half: readonly (readonly Kind[])[], chosen: readonly number[]): Kind[][] {
  return half.map((image) => image.filter((_, stage) => chosen.includes(stage)));
}

/** The same with `flops` those at the origin. */
function atOrigin(half: readonly (readonly Costed[])[], chosen: readonly number[]): StageRecord[][] {
  return members(half, chosen).map((image) => image.map((record) => ({ ...record, flops: record.originFlops })));
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
