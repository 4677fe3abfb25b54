/** A photo's classification: thumbnail, logits, predictions; with `adaptive`, again with a larger thumbnail if need be. */
import { toHex } from "../cache/hex.ts";
import type { Head } from "../downscaler/card.ts";
import { Problem } from "../errors.ts";
import { runCascade, type Stage } from "./cascade.ts";
import { narrow, positions } from "./narrow.ts";
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
  const head = options.head === "auto" ? defaultHead(size, parts.students) : options.head;
  const first = parts.students.find((student) => isThumbnailReader(student, size) && student.card.head === head);
  if (!first) throw new Problem("invalid-options", `head: There is no ${head} for thumbnails of ${size} pixels.`);
  const stages = cascadeFrom(first, options, parts.students).map((member) =>
    stageOf(member, parts, adaptive === "auto" ? member.student.threshold : (adaptive ?? 0)),
  );

  const outcomes = await runCascade(stages);
  const last = outcomes.at(-1);
  if (!last) throw new Error("A cascade of stages gave no outcome.");
  const { student, thumbnail, logits } = last.answer;
  const { name, version, sha256 } = student.card;
  return {
    predictions: topK(softmax(logits, student.temperature), first.labels, top),
    model: { name, version, sha256 },
    thumbnail: { size: sideOf(student), format: "npy", bytes: thumbnail.npy.length, sha256: thumbnail.sha256 },
    ...(adaptive !== undefined && {
      stages: outcomes.map(({ name: model, confidence }) => ({ model, confidence })),
    }),
  };
}

const isThumbnailReader = (student: Student, size: number) =>
  student.card.role === "student" && sideOf(student) === size;

/** Of the most classes, among equals of the most multiply-adds: who does not choose wants the right answer. */
function defaultHead(size: number, students: readonly Student[]): Head {
  const [best] = students
    .filter((student) => isThumbnailReader(student, size))
    .sort((a, b) => b.labels.length - a.labels.length || b.card.flops - a.card.flops);
  return best?.card.head ?? "student";
}

/** A model of a cascade. */
interface Member {
  readonly student: Student;
  /** Where its logits have the classes that the answer is about; absent where they are all of its own. */
  readonly places?: readonly number[];
}

/**
 * With `adaptive` one model of each larger size after the first, of the same head if there is one, else the student; and the teacher
 * only if that is asked for. The answer is over the classes of the first, so that only those can follow that know them all.
 */
function cascadeFrom(first: Student, { adaptive, teacher }: ClassifyOptions, students: readonly Student[]): Member[] {
  if (adaptive === undefined) return [{ student: first }];
  const larger = students.flatMap((student): Member[] => {
    const places = sideOf(student) > sideOf(first) ? positions(student.labels, first.labels) : undefined;
    return places ? [{ student, places }] : [];
  });
  const sizes = [...new Set(larger.map(({ student }) => sideOf(student)))].sort((a, b) => a - b);
  const next = sizes.flatMap((size) => {
    const own = larger.filter(({ student }) => isThumbnailReader(student, size));
    const withHead = (head: Head) => own.find(({ student }) => student.card.head === head);
    return withHead(first.card.head) ?? withHead("student") ?? [];
  });
  const teachers = teacher === "yes" ? larger.filter(({ student }) => student.card.role === "teacher") : [];
  return [{ student: first }, ...next, ...teachers];
}

interface StageAnswer {
  readonly student: Student;
  readonly thumbnail: NamedThumbnail;
  /** Over the classes that the answer is about. */
  readonly logits: Float32Array;
}

function stageOf({ student, places }: Member, parts: ClassifyParts, threshold: number): Stage<StageAnswer> {
  return {
    name: student.card.name,
    temperature: student.temperature,
    threshold,
    async run() {
      const npy = await parts.thumbnail(sideOf(student));
      const thumbnail = { npy, sha256: toHex(await crypto.subtle.digest("SHA-256", npy)) };
      const logits = await parts.logits(thumbnail, student);
      return { student, thumbnail, logits: places ? narrow(logits, places) : logits };
    },
  };
}
