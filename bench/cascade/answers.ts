/** The logits of every stage of a cascade for every photo of a folder, through the pipeline that serves them. */
import { readFile } from "node:fs/promises";
import { narrow, positions } from "../../src/classify/narrow.ts";
import { type LocalStudent, readStudentsAndTeacher } from "../../src/cli/students.ts";
import type { ModelCard } from "../../src/downscaler/card.ts";
import type { Downscaler } from "../../src/downscaler/downscaler.ts";
import { decode } from "../../src/imaging/decode.ts";
import type { RgbImage } from "../../src/imaging/image.ts";
import { loadCodec, nodeRuntime, wholePhotos } from "../../src/runtime/node.ts";
import { labelledPhotos } from "../labelled.ts";

export interface Stage {
  readonly card: ModelCard;
  /** At the edge. */
  readonly downscaler: Downscaler;
  /** At the origin. */
  readonly student: LocalStudent;
  /** Raw pixels that go to the origin. */
  readonly bytes: number;
  /** Multiply-adds of both, and of the student. */
  readonly flops: number;
  readonly originFlops: number;
}

export interface ImageAnswers {
  /** Index of the true class. */
  readonly label: number;
  /** By stage. */
  readonly logits: readonly Float32Array[];
}

const BATCH = 16;

/** @param names of the models at the origin. */
export async function loadStages(names: readonly string[]): Promise<Stage[]> {
  const [students, runtime, whole] = await Promise.all([readStudentsAndTeacher(), nodeRuntime(), wholePhotos()]);
  return names.map((name) => {
    const student = students.find(({ card }) => card.name === name);
    const reads = student?.card.downscaler ?? name;
    const downscaler = [...runtime.downscalers, ...whole].find(({ card }) => card.name === reads);
    if (!student || !downscaler)
      throw new Error(`Expected ${name} and what makes its thumbnails in the models folder.`);
    const { card } = student;
    return {
      card,
      downscaler,
      student,
      bytes: card.input.shape.slice(1).reduce((product, size) => product * size, 1),
      flops: card.flops + (card.downscaler ? downscaler.card.flops : 0),
      originFlops: card.flops,
    };
  });
}

/**
 * @param photos folder, as of `labelledPhotos`.
 * @param every takes only each n-th photo.
 */
export async function classifyAll(stages: readonly Stage[], photos: string, every: number): Promise<ImageAnswers[]> {
  const { photos: chosen, labels } = await labelledPhotos(photos, every);
  const results: ImageAnswers[] = [];
  for (let start = 0; start < chosen.length; start += BATCH) {
    const part = chosen.slice(start, start + BATCH);
    const squares = await Promise.all(part.map(({ file }) => square(file)));
    const logits: Float32Array[][] = [];
    for (const stage of stages) logits.push(await infer(stage, squares, labels));
    for (const [i, { label }] of part.entries())
      results.push({ label, logits: logits.map((rows) => rows[i] ?? new Float32Array()) });
    if ((start / BATCH) % 25 === 0) console.error(`${results.length} of ${chosen.length}`);
  }
  return results;
}

/** As every model of `models/` reads a photo; a downscaler refuses another size. */
async function square(file: string): Promise<RgbImage> {
  return decode(await readFile(file), { size: 224, filter: "bicubic", fit: "fill" }, loadCodec);
}

/** Logits by photo, of the photos' classes. */
async function infer(
  { downscaler, student }: Stage,
  squares: readonly RgbImage[],
  labels: readonly string[],
): Promise<Float32Array[]> {
  const thumbnails: Uint8Array[] = [];
  for (const image of squares) thumbnails.push((await downscaler.downscale(image)).data);
  const logits = await student.logits(new Uint8Array(Buffer.concat(thumbnails)));
  const [classes, places] = [student.labels.length, positions(student.labels, labels)];
  if (!places) throw new Error(`${student.card.name} does not know all of the photos' classes.`);
  return squares.map((_, row) => narrow(logits.subarray(row * classes, (row + 1) * classes), places));
}
