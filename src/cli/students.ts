/** S on this machine: the students of the models folder in onnxruntime-node, as the embedded origin runs them. */
import { readdir, readFile } from "node:fs/promises";
import { InferenceSession, type OnnxValue, Tensor } from "onnxruntime-node";
import { type Calibration, calibrationFile } from "../classify/calibration.ts";
import { createStudent, type Student, sideOf } from "../classify/student.ts";
import { readCard } from "../runtime/read-card.ts";

export interface LocalStudent extends Student {
  /** @param pixels uint8 RGB [N, side, side, 3]. @returns float32 [N, classes]. */
  readonly logits: (pixels: Uint8Array) => Promise<Float32Array>;
}

const MODELS = new URL("../../models/", import.meta.url);

/** Smallest and cheapest first. @throws Error if there is none, or one does not fit its card. */
export function readStudents(models = MODELS): Promise<LocalStudent[]> {
  return readClassifiers(models, /^(student|restored)-/);
}

/** The students, and the teacher last. @throws Error as `readStudents`. */
export function readStudentsAndTeacher(models = MODELS): Promise<LocalStudent[]> {
  return readClassifiers(models, /^(student|restored|teacher)-/);
}

async function readClassifiers(models: URL, pattern: RegExp): Promise<LocalStudent[]> {
  const names = (await readdir(models)).filter((name) => pattern.test(name));
  if (names.length === 0) throw new Error(`There is no student in ${models.pathname}.`);
  const calibration = calibrationFile.parse(JSON.parse(await readFile(new URL("calibration.json", models), "utf8")));
  const students = await Promise.all(names.map((name) => readStudent(new URL(`${name}/`, models), calibration)));
  return students.sort((a, b) => sideOf(a) - sideOf(b) || a.card.flops - b.card.flops);
}

/** One of them, from its own folder. @throws Error if it does not fit its card. */
export async function readStudent(folder: URL, calibration?: Calibration): Promise<LocalStudent> {
  const card = await readCard(folder);
  const labels = await readFile(new URL(card.labels ?? "labels.txt", folder), "utf8");
  const student = createStudent(card, labels, calibration);
  const files = card.steps?.map((name) => new URL(`../${name}/1/model.onnx`, folder)) ?? [
    new URL("1/model.onnx", folder),
  ];
  let sessions: Promise<InferenceSession[]> | undefined;
  return {
    ...student,
    async logits(pixels) {
      sessions ??= Promise.all(files.map((file) => InferenceSession.create(file.pathname)));
      const side = sideOf(student);
      let value: OnnxValue | undefined = new Tensor("uint8", pixels, [
        pixels.length / (side * side * 3),
        side,
        side,
        3,
      ]);
      for (const session of await sessions) {
        const [input = "", output = ""] = [...session.inputNames, ...session.outputNames];
        value = (await session.run({ [input]: value }))[output];
        if (!(value instanceof Tensor)) throw new Error(`${card.name} gave no tensor ${output}.`);
      }
      if (!(value.data instanceof Float32Array)) throw new Error(`${card.name} gave no float32 output.`);
      return value.data;
    },
  };
}
