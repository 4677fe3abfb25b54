/** The logits of every stage of a cascade for every photo of a folder, through the pipeline that serves them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { narrow, positions } from "../../src/classify/narrow.ts";
import { type ModelCard, parseCard } from "../../src/downscaler/card.ts";
import { decode } from "../../src/imaging/decode.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { labelledPhotos } from "../labelled.ts";

export interface Stage {
  readonly card: ModelCard;
  /** In class order. */
  readonly labels: readonly string[];
  /** What runs for it, in order: the downscaler at the edge, then the classifier at the origin. */
  readonly sessions: readonly { session: ort.InferenceSession; card: ModelCard }[];
  /** Raw pixels that go to the origin. */
  readonly bytes: number;
  /** Multiply-adds of all models that run for it, and of the one at the origin. */
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

/**
 * @param name of the model at the origin, whose card says what is sent.
 * @param runs folders of all that runs for it, in that order, the edge's part first.
 */
export async function loadStage(name: string, runs: readonly string[]): Promise<Stage> {
  const cardOf = async (folder: string) =>
    parseCard(JSON.parse(await readFile(`models/${folder}/card.json`, "utf8")), folder);
  const card = await cardOf(name);
  const sessions = await Promise.all(
    runs.map(async (folder) => ({
      card: await cardOf(folder),
      session: await ort.InferenceSession.create(`models/${folder}/1/model.onnx`),
    })),
  );
  return {
    card,
    labels: (await readFile(join("models", name, card.labels ?? ""), "utf8")).trimEnd().split("\n"),
    sessions,
    bytes: card.input.shape.slice(1).reduce((product, size) => product * size, 1),
    flops: sessions.reduce((sum, { card: { flops } }) => sum + flops, 0),
    originFlops: card.flops,
  };
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
    const pixels = Buffer.concat(await Promise.all(part.map(({ file }) => square(file))));
    const logits = await Promise.all(stages.map((stage) => infer(stage, new Uint8Array(pixels), part.length, labels)));
    for (const [i, { label }] of part.entries())
      results.push({ label, logits: logits.map((rows) => rows[i] ?? new Float32Array()) });
    if ((start / BATCH) % 25 === 0) console.error(`${results.length} of ${chosen.length}`);
  }
  return results;
}

async function square(file: string): Promise<Uint8Array> {
  return (await decode(await readFile(file), { size: 224, filter: "bicubic", fit: "fill" }, loadCodec)).data;
}

/** Logits by photo. */
async function infer(
  { sessions, labels: known }: Stage,
  photos: Uint8Array,
  rows: number,
  labels: readonly string[],
): Promise<Float32Array[]> {
  let data: ort.Tensor.DataType = photos;
  for (const { session, card } of sessions) {
    if (!(data instanceof Uint8Array)) throw new Error("Expected pixels between the models of a stage.");
    const input = new ort.Tensor("uint8", data, [rows, ...card.input.shape.slice(1)]);
    const results: ort.InferenceSession.ReturnType = await session.run({ [card.input.name]: input });
    const output = results[card.output.name];
    if (!output) throw new Error(`${card.name} gave no ${card.output.name}.`);
    data = output.data;
  }
  if (!(data instanceof Float32Array)) throw new Error("Expected logits at the end of a stage.");
  const logits = data;
  const [classes, places] = [known.length, positions(known, labels)];
  if (!places) throw new Error(`${sessions.at(-1)?.card.name} does not know all of the photos' classes.`);
  return Array.from({ length: rows }, (_, row) => narrow(logits.subarray(row * classes, (row + 1) * classes), places));
}
