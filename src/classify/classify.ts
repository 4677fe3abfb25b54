/** A photo's classification: thumbnail, logits, predictions; with `adaptive`, again with a larger thumbnail if need be. */
import { toHex } from "../cache/hex.ts";
import { Problem } from "../errors.ts";
import { runCascade, type Stage } from "./cascade.ts";
import type { ClassifyOptions } from "./options.ts";
import { type Prediction, softmax, topK } from "./probabilities.ts";
import { type Student, sideOf } from "./student.ts";

/** The answer's JSON. It depends on the photo, the options and the models alone. */
export interface Classification {
  readonly predictions: readonly Prediction[];
  readonly model: { readonly name: string; readonly version: string; readonly sha256: string };
  /** What was classified; `/thumbnail/size=...,format=npy/...` gives these very bytes. */
  readonly thumbnail: {
    readonly size: number;
    readonly format: "npy";
    readonly bytes: number;
    readonly sha256: string;
  };
  /** With `adaptive`: every model that was asked, the deciding one last. */
  readonly stages?: readonly { readonly model: string; readonly confidence: number }[];
}

/** A thumbnail as an npy file, with the digest that names it. */
export interface NamedThumbnail {
  readonly npy: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
}

export interface ClassifyParts {
  readonly students: readonly Student[];
  /** The photo's thumbnail of this side. */
  readonly thumbnail: (size: number) => Promise<Uint8Array<ArrayBuffer>>;
  readonly logits: (thumbnail: NamedThumbnail, student: Student) => Promise<Float32Array>;
}

/** @throws Problem if there is no student of this size, or what `thumbnail` and `logits` throw. */
export async function classify(options: ClassifyOptions, parts: ClassifyParts): Promise<Classification> {
  const { size, top, adaptive } = options;
  const stages = parts.students
    .filter((student) => mayAsk(student, options))
    .sort((a, b) => sideOf(a) - sideOf(b))
    .map((student) => stageOf(student, parts, adaptive === "auto" ? student.threshold : (adaptive ?? 0)));
  if (stages.length === 0)
    throw new Problem("invalid-options", `head: There is no ${options.head} for thumbnails of ${size} pixels.`);

  const outcomes = await runCascade(stages);
  const last = outcomes.at(-1);
  if (!last) throw new Error("A cascade of stages gave no outcome.");
  const { student, thumbnail, logits } = last.answer;
  const { name, version, sha256 } = student.card;
  return {
    predictions: topK(softmax(logits, student.temperature), student.labels, top),
    model: { name, version, sha256 },
    thumbnail: { size: sideOf(student), format: "npy", bytes: thumbnail.npy.length, sha256: thumbnail.sha256 },
    ...(adaptive !== undefined && {
      stages: outcomes.map(({ name: model, confidence }) => ({ model, confidence })),
    }),
  };
}

/** The wanted head of the wanted size; with `adaptive` the larger students as well, and the teacher only if that is asked for. */
function mayAsk(student: Student, { size, head, adaptive, teacher }: ClassifyOptions): boolean {
  const { role, head: own } = student.card;
  if (role === "teacher") return adaptive !== undefined && teacher === "yes";
  if (sideOf(student) === size) return own === head;
  return adaptive !== undefined && sideOf(student) > size && own === "student";
}

interface StageAnswer {
  readonly student: Student;
  readonly thumbnail: NamedThumbnail;
  readonly logits: Float32Array;
}

function stageOf(student: Student, parts: ClassifyParts, threshold: number): Stage<StageAnswer> {
  return {
    name: student.card.name,
    temperature: student.temperature,
    threshold,
    async run() {
      const npy = await parts.thumbnail(sideOf(student));
      const thumbnail = { npy, sha256: toHex(await crypto.subtle.digest("SHA-256", npy)) };
      return { student, thumbnail, logits: await parts.logits(thumbnail, student) };
    },
  };
}
