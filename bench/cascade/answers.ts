/** The logits of every stage of the cascade for every photo of a folder, through the pipeline that serves them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { type ModelCard, parseCard } from "../../src/downscaler/card.ts";
import { decode } from "../../src/imaging/decode.ts";
import { loadCodec } from "../../src/runtime/node.ts";

export interface Stage {
  readonly card: ModelCard;
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

/** @param folders of the models, in the order in which they run. */
export async function loadStage(folders: readonly string[]): Promise<Stage> {
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

/**
 * @param photos folder with one folder of photos a class, named as in thumbnet's class map.
 * @param every takes only each n-th photo.
 */
export async function classifyAll(stages: readonly Stage[], photos: string, every: number): Promise<ImageAnswers[]> {
  const chosen = await labelledPhotos(photos, every);
  const results: ImageAnswers[] = [];
  for (let start = 0; start < chosen.length; start += BATCH) {
    const part = chosen.slice(start, start + BATCH);
    const pixels = Buffer.concat(await Promise.all(part.map(({ file }) => square(file))));
    const logits = await Promise.all(stages.map((stage) => infer(stage, new Uint8Array(pixels), part.length)));
    for (const [i, { label }] of part.entries())
      results.push({ label, logits: logits.map((rows) => rows[i] ?? new Float32Array()) });
    if ((start / BATCH) % 25 === 0) console.error(`${results.length} of ${chosen.length}`);
  }
  return results;
}

/** Each n-th photo with the index of its class; arguments as of `classifyAll`. */
export async function labelledPhotos(photos: string, every: number): Promise<{ file: string; label: number }[]> {
  const classes = JSON.parse(await readFile("training/src/thumbnet/classes/imagenette.json", "utf8"));
  const files: { file: string; label: number }[] = [];
  for (const [label, folder] of Object.keys(classes).entries()) {
    const names = (await readdir(join(photos, folder))).sort();
    for (const name of names) files.push({ file: join(photos, folder, name), label });
  }
  return files.filter((_, i) => i % every === 0);
}

async function square(file: string): Promise<Uint8Array> {
  return (await decode(await readFile(file), { size: 224, filter: "bicubic", fit: "fill" }, loadCodec)).data;
}

/** Logits by photo. */
async function infer({ sessions }: Stage, photos: Uint8Array, rows: number): Promise<Float32Array[]> {
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
  const classes = logits.length / rows;
  return Array.from({ length: rows }, (_, row) => logits.slice(row * classes, (row + 1) * classes));
}
