/** Reads a Triton model repository: `<name>/config.pbtxt`, `<name>/<version>/model.onnx` and label files. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ModelConfig, parseModelConfig } from "./model-config.ts";

export interface Model {
  readonly config: ModelConfig;
  /** The highest numbered version, which is Triton's policy as well. */
  readonly version: string;
  readonly file: string;
  /** Labels in class order, by output. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/**
 * Every folder with a `config.pbtxt`.
 *
 * @throws Error naming the model if one is incomplete, or if there is none at all: a server without a model is a mistake.
 */
export function readRepository(folder: string): Model[] {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "config.pbtxt")))
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) throw new Error(`Expected models with a config.pbtxt in ${folder}, but there is none.`);
  return names.map((name) => readModel(folder, name));
}

function readModel(folder: string, name: string): Model {
  const config = parseModelConfig(readFileSync(join(folder, name, "config.pbtxt"), "utf8"), name);
  const version = readdirSync(join(folder, name))
    .filter((entry) => /^[1-9]\d*$/.test(entry) && existsSync(join(folder, name, entry, "model.onnx")))
    .sort((a, b) => Number(b) - Number(a))[0];
  if (version === undefined) throw new Error(`Expected ${name}/1/model.onnx or a higher version in ${folder}.`);
  const labels = new Map<string, readonly string[]>();
  for (const { name: output, labelFile } of config.outputs) {
    if (labelFile !== undefined) labels.set(output, readLabels(join(folder, name, labelFile)));
  }
  return { config, version, file: join(folder, name, version, "model.onnx"), labels };
}

function readLabels(file: string): string[] {
  return readFileSync(file, "utf8")
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
}
