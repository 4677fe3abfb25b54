/** Reads a Triton model repository: `<name>/config.pbtxt`, `<name>/<version>/model.onnx` and label files. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkEnsemble } from "./ensemble.ts";
import { type ModelConfig, parseModelConfig } from "./model-config.ts";

export interface Model {
  readonly config: ModelConfig;
  /** The highest numbered version, which is Triton's policy as well. */
  readonly version: string;
  /** Absent for an ensemble. */
  readonly file: string | undefined;
  /** Labels in class order, by output. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/**
 * Every folder with a `config.pbtxt`.
 *
 * @throws Error naming the model if one is incomplete, or if there is none at all: a server without a model is a mistake.
 */
export function readRepository(folder: string): Model[] {
  const names = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "config.pbtxt")))
    .sort();
  if (names.length === 0) throw new Error(`Expected models with a config.pbtxt in ${folder}, but there is none.`);
  const models = names.map((name) => readModel(folder, name));
  const configs = new Map(models.map(({ config }) => [config.name, config]));
  for (const { config } of models) checkEnsemble(config, configs);
  return models;
}

function readModel(folder: string, name: string): Model {
  const config = parseModelConfig(readFileSync(join(folder, name, "config.pbtxt"), "utf8"), name);
  const needed = config.steps ? "" : "model.onnx"; // of an ensemble the empty folder of a version is enough, as in Triton
  const version = readdirSync(join(folder, name))
    .filter((entry) => /^[1-9]\d*$/.test(entry) && existsSync(join(folder, name, entry, needed)))
    .sort((a, b) => Number(b) - Number(a))[0];
  if (version === undefined) throw new Error(`Expected ${name}/1/${needed} or a higher version in ${folder}.`);
  const labels = new Map<string, readonly string[]>();
  for (const { name: output, labelFile } of config.outputs) {
    if (labelFile !== undefined) labels.set(output, readLabels(join(folder, name, labelFile)));
  }
  const file = config.steps ? undefined : join(folder, name, version, "model.onnx");
  return { config, version, file, labels };
}

function readLabels(file: string): string[] {
  return readFileSync(file, "utf8")
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
}
