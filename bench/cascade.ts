/**
 * The adaptive cascade, measured: temperatures fitted on one half of the validation photos, everything reported on the other.
 *
 *     uv run --project training python bench/teacher.py /tmp/bench-models
 *     npm run bench -- cascade /work/imagenette/val /tmp/bench-models
 *
 * The folder holds one folder of photos a class, named as in `training/src/thumbnet/classes/imagenette.json`. Writes
 * `models/calibration.json`, which the Worker's bundle reads, and `bench/results/cascade.json`.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import {
  type Calibration,
  expectedCalibrationError,
  fitTemperature,
  type Labelled,
} from "../src/classify/calibration.ts";
import { type CascadeCost, confidenceOf, type StageRecord, simulateCascade } from "../src/classify/cascade.ts";
import { type ModelCard, parseCard } from "../src/downscaler/card.ts";
import { decode } from "../src/imaging/decode.ts";
import { loadCodec } from "../src/runtime/node.ts";
import { describeMachine, table } from "./report.ts";

const [, , photos = "", teacherFolder = ""] = process.argv;
const BATCH = 16;
/** In points of top-1: what the threshold of `adaptive=auto` may cost against the largest model of the cascade. */
const AUTO_LOSS = 0.5;
const THRESHOLDS = Array.from({ length: 200 }, (_, i) => i / 200);

interface Stage {
  readonly card: ModelCard;
  /** What runs for it, in order: the downscaler at the edge, then the classifier at the origin. */
  readonly sessions: readonly { session: ort.InferenceSession; card: ModelCard }[];
  /** Raw pixels that go to the origin. */
  readonly bytes: number;
  /** Multiply-adds: all of the stage's models, and those at the origin alone. */
  readonly flops: number;
  readonly originFlops: number;
}

const stages = await Promise.all([
  loadStage(["models/downscaler-56", "models/student-56"]),
  loadStage(["models/downscaler-112", "models/student-112"]),
  loadStage([join(teacherFolder, "teacher-224")]),
]);
const labels = await classFolders();
const answers = await classifyAll();

const fitted = answers.filter((_, i) => i % 2 === 0);
const held = answers.filter((_, i) => i % 2 === 1);
const temperatures = stages.map((_, stage) => fitTemperature(fitted.map((image) => labelled(image, stage))));
const models: Calibration["models"] = Object.fromEntries(
  stages.map(({ card: { name, sha256 } }, stage) => {
    const images = held.map((image) => labelled(image, stage));
    const ece = {
      before: rounded(expectedCalibrationError(images, 1)),
      after: rounded(expectedCalibrationError(images, temperatures[stage] ?? 1)),
    };
    return [name, { temperature: rounded(temperatures[stage] ?? 1), sha256, images: fitted.length, ece }];
  }),
);

const CASCADES: Record<string, readonly number[]> = {
  "student-56": [0],
  "student-112": [1],
  "teacher-224": [2],
  "56 -> 112": [0, 1],
  "56 -> teacher": [0, 2],
  "56 -> 112 -> teacher": [0, 1, 2],
  "112 -> teacher": [1, 2],
};
const teacher = costs([2], held, 0);
const rows: ({ cascade: string; originFlops: number } & CascadeCost)[] = [];
for (const [cascade, members] of Object.entries(CASCADES)) {
  for (const threshold of members.length === 1 ? [0] : THRESHOLDS) {
    const originFlops = costs(members, held, threshold, (stage) => stage.originFlops).meanFlops;
    rows.push({ cascade, originFlops, ...costs(members, held, threshold) });
  }
}

/** Chosen on the photos that the temperatures were fitted on, reported on the others. */
const students = [0, 1];
const largest = costs([1], fitted, 0).accuracy;
const auto = THRESHOLDS.find((value) => costs(students, fitted, value).accuracy >= largest - AUTO_LOSS / 100) ?? 0.9;
const calibration: Calibration = {
  schema: 1,
  models: Object.fromEntries(Object.entries(models).filter(([name]) => name.startsWith("student-"))),
  threshold: auto,
  how:
    `Temperatures of least negative log-likelihood on ${fitted.length} of ${answers.length} validation photos; calibration errors on the rest. ` +
    `The threshold is the lowest at which 56 -> 112 loses at most ${AUTO_LOSS} points against student-112 on the former.`,
};
await writeFile("models/calibration.json", `${JSON.stringify(calibration, null, 2)}\n`);

const shown = rows.filter(
  ({ cascade, threshold }) => (CASCADES[cascade]?.length ?? 0) === 1 || threshold % 0.1 < 1e-9 || threshold >= 0.9,
);
console.log(
  table(
    ["cascade", "threshold", "top-1 %", "bytes", "of T's", "Mflop at the origin", "of T's", "decided by each %"],
    shown.map((row) => [
      row.cascade,
      (CASCADES[row.cascade]?.length ?? 0) === 1 ? "" : row.threshold.toFixed(3),
      (row.accuracy * 100).toFixed(2),
      row.meanBytes.toFixed(0),
      (row.meanBytes / teacher.meanBytes).toFixed(3),
      (row.originFlops / 1e6).toFixed(1),
      (row.originFlops / teacher.meanFlops).toFixed(3),
      row.decided.map((share) => (share * 100).toFixed(0)).join(" / "),
    ]),
  ),
);
await mkdir("bench/results", { recursive: true });
const report = {
  command: "npm run bench -- cascade <imagenette val> <folder of teacher-224>",
  ...(await describeMachine()),
  images: { fitted: fitted.length, reported: held.length },
  models,
  autoThreshold: auto,
  rows,
};
await writeFile("bench/results/cascade.json", `${JSON.stringify(report, null, 2)}\n`);

interface ImageAnswers {
  readonly label: number;
  /** By stage. */
  readonly logits: readonly Float32Array[];
}

function labelled({ label, logits }: ImageAnswers, stage: number): Labelled {
  return { label, logits: logits[stage] ?? new Float32Array() };
}

function costs(
  members: readonly number[],
  images: readonly ImageAnswers[],
  threshold: number,
  flopsOf = ({ flops }: Stage) => flops,
): CascadeCost {
  const records = images.map(({ label, logits }) =>
    members.map((stage): StageRecord => {
      const scores = logits[stage] ?? new Float32Array();
      const about = stages[stage];
      return {
        confidence: confidenceOf(scores, temperatures[stage] ?? 1),
        correct: scores.indexOf(Math.max(...scores)) === label,
        bytes: about?.bytes ?? 0,
        flops: about ? flopsOf(about) : 0,
      };
    }),
  );
  return simulateCascade(records, threshold);
}

async function loadStage(folders: readonly string[]): Promise<Stage> {
  const sessions = await Promise.all(
    folders.map(async (folder) => ({
      card: parseCard(JSON.parse(await readFile(join(folder, "card.json"), "utf8")), folder),
      session: await ort.InferenceSession.create(join(folder, "1/model.onnx")),
    })),
  );
  const last = sessions.at(-1);
  if (!last) throw new Error("A stage needs a model.");
  return {
    card: last.card,
    sessions,
    bytes: last.card.input.shape.slice(1).reduce((product, size) => product * size, 1),
    flops: sessions.reduce((sum, { card }) => sum + card.flops, 0),
    originFlops: last.card.flops,
  };
}

async function classFolders(): Promise<string[]> {
  const classes = JSON.parse(await readFile("training/src/thumbnet/classes/imagenette.json", "utf8"));
  return Object.keys(classes);
}

async function classifyAll(): Promise<ImageAnswers[]> {
  const files: { file: string; label: number }[] = [];
  for (const [label, folder] of labels.entries()) {
    for (const name of (await readdir(join(photos, folder))).sort())
      files.push({ file: join(photos, folder, name), label });
  }
  const results: ImageAnswers[] = [];
  for (let start = 0; start < files.length; start += BATCH) {
    const part = files.slice(start, start + BATCH);
    const images = await Promise.all(
      part.map(async ({ file }) =>
        decode(await readFile(file), { size: 224, filter: "bicubic", fit: "fill" }, loadCodec),
      ),
    );
    const batch = Uint8Array.from(images.flatMap(({ data }) => [...data]));
    const logits = await Promise.all(stages.map((stage) => infer(stage, batch, part.length)));
    for (const [i, { label }] of part.entries()) {
      results.push({
        label,
        logits: logits.map((all) => all.slice((i * all.length) / part.length, ((i + 1) * all.length) / part.length)),
      });
    }
    if (start % 400 === 0) console.error(`${results.length} of ${files.length}`);
  }
  return results;
}

async function infer({ sessions }: Stage, photos: Uint8Array, rows: number): Promise<Float32Array> {
  let data: ort.Tensor.DataType = photos;
  for (const { session, card } of sessions) {
    if (!(data instanceof Uint8Array)) throw new Error("Expected pixels between the models of a stage.");
    const shape = [rows, ...card.input.shape.slice(1)];
    const results: ort.InferenceSession.ReturnType = await session.run({
      [card.input.name]: new ort.Tensor("uint8", data, shape),
    });
    const output = results[card.output.name];
    if (!output) throw new Error(`${card.name} gave no ${card.output.name}.`);
    data = output.data;
  }
  if (!(data instanceof Float32Array)) throw new Error("Expected logits at the end of a stage.");
  return data;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
