/**
 * The adaptive cascade, measured: temperatures and thresholds fitted on one half of the validation photos, everything reported
 * on the other.
 *
 *     npm run bench -- cascade /work/imagenette/val [every]
 *
 * `every` takes only each n-th photo. Writes `models/calibration.json`, which the Worker's bundle reads, and
 * `bench/results/cascade.json`. Run it whenever a student is trained anew: a calibration holds for one file.
 */
import { writeFile } from "node:fs/promises";
import {
  type Calibration,
  expectedCalibrationError,
  fitTemperature,
  type Labelled,
} from "../src/classify/calibration.ts";
import { type CascadeCost, confidenceOf, type StageRecord, simulateCascade } from "../src/classify/cascade.ts";
import { classifyAll, type ImageAnswers, loadStage } from "./cascade/answers.ts";
import { table, writeResults } from "./report.ts";

const [, , photos = "", every = "1"] = process.argv;

/** By the names of the stages below. */
const CASCADES = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];
const WHOLE = [0, 1, 2];
/** Points of top-1 that thresholds may cost against the teacher, on the photos they are chosen on. */
const LOSSES = [0.5, 1, 1.5, 3];
/** Of the thresholds that go into the calibration. */
const AUTO_LOSS = 1.5;
const GRID = [...Array.from({ length: 100 }, (_, i) => i / 100), 0.995, 0.999];

const stages = await Promise.all([
  loadStage(["models/downscaler-56", "models/student-56"]),
  loadStage(["models/downscaler-112", "models/student-112"]),
  loadStage(["models/teacher-224"]),
]);
const names = stages.map(({ card }) => card.name);
const answers = await classifyAll(stages, photos, Number(every));
const fitted = answers.filter((_, i) => i % 2 === 0);
const held = answers.filter((_, i) => i % 2 === 1);

const temperatures = stages.map((_, stage) => fitTemperature(fitted.map((image) => labelled(image, stage))));
const records = { fitted: fitted.map(recordsOf), held: held.map(recordsOf) };
const teacher = simulateCascade(
  records.fitted.map((image) => image.slice(2)),
  [],
);

const tries = new Map<string, CascadeCost[]>();

interface Row extends CascadeCost {
  readonly cascade: string;
  /** Points that the choice of thresholds allowed; absent where there is nothing to choose. */
  readonly allowedLoss?: number;
  readonly meanOriginFlops: number;
}
const rows: Row[] = [];
for (const members of CASCADES) {
  if (members.length === 1) rows.push(measured(members, []));
  else for (const loss of LOSSES) rows.push({ ...measured(members, choose(members, loss)), allowedLoss: loss });
}

const auto = choose(WHOLE, AUTO_LOSS);
const calibration: Calibration = {
  schema: 1,
  models: Object.fromEntries(stages.map((_, stage) => [names[stage] ?? "", calibrated(stage)])),
  how:
    `Temperatures of least negative log-likelihood on ${fitted.length} of ${answers.length} photos of Imagenette's validation set; ` +
    `calibration errors on the other ${held.length}. Thresholds of least multiply-adds at the origin that cost at most ${AUTO_LOSS} points ` +
    `of top-1 against ${names[2]}, on the former.`,
};
await writeFile("models/calibration.json", `${JSON.stringify(calibration, null, 2)}\n`);

const whole = rows.find(({ cascade }) => cascade === names[2]);
const share = (value: number, of: number | undefined) => (value / (of ?? Number.NaN)).toFixed(3);
console.log(
  table(
    ["cascade", "thresholds", "top-1 %", "bytes sent", "of T's", "Mflop at the origin", "of T's", "decided by each, %"],
    rows.map((row) => [
      row.cascade,
      row.thresholds.join(" "),
      (row.accuracy * 100).toFixed(2),
      row.meanBytes.toFixed(0),
      share(row.meanBytes, whole?.meanBytes),
      (row.meanOriginFlops / 1e6).toFixed(1),
      share(row.meanOriginFlops, whole?.meanOriginFlops),
      row.decided.map((part) => (part * 100).toFixed(0)).join(" / "),
    ]),
  ),
);
await writeResults("cascade", `<imagenette val> ${every}`, {
  photos: { fitted: fitted.length, reported: held.length },
  models: calibration.models,
  rows,
});

interface Costed extends StageRecord {
  readonly originFlops: number;
}

function labelled({ label, logits }: ImageAnswers, stage: number): Labelled {
  return { label, logits: logits[stage] ?? new Float32Array() };
}

function recordsOf({ label, logits }: ImageAnswers): Costed[] {
  return stages.map(({ bytes, flops, originFlops }, stage) => {
    const scores = logits[stage] ?? new Float32Array();
    const confidence = confidenceOf(scores, temperatures[stage] ?? 1);
    return { confidence, correct: scores.indexOf(Math.max(...scores)) === label, bytes, flops, originFlops };
  });
}

/** Records of a cascade of some of the stages; `flops` are those at the origin. */
function atOrigin(members: readonly number[], half: readonly (readonly Costed[])[]): StageRecord[][] {
  return half.map((image) =>
    image.filter((_, stage) => members.includes(stage)).map((record) => ({ ...record, flops: record.originFlops })),
  );
}

function measured(members: readonly number[], thresholds: readonly number[]): Row {
  const all = simulateCascade(
    records.held.map((image) => image.filter((_, stage) => members.includes(stage))),
    thresholds,
  );
  const cascade = members.map((stage) => names[stage]).join(" -> ");
  return { cascade, ...all, meanOriginFlops: simulateCascade(atOrigin(members, records.held), thresholds).meanFlops };
}

/** The thresholds of least work at the origin among those that lose little enough; where none does, those that lose least. */
function choose(members: readonly number[], loss: number): number[] {
  const tried = tryAll(members);
  const enough = tried.filter(({ accuracy }) => accuracy >= teacher.accuracy - loss / 100);
  const best = enough.length
    ? enough.reduce((a, b) => (b.meanFlops < a.meanFlops ? b : a))
    : tried.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  return [...best.thresholds];
}

/** Every choice of thresholds, on the photos that they are chosen on. */
function tryAll(members: readonly number[]): CascadeCost[] {
  const known = tries.get(String(members));
  if (known) return known;
  const grid = members
    .slice(1)
    .reduce<number[][]>((lists) => lists.flatMap((list) => GRID.map((value) => [...list, value])), [[]]);
  const images = atOrigin(members, records.fitted);
  const tried = grid.map((thresholds) => simulateCascade(images, thresholds));
  tries.set(String(members), tried);
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

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
