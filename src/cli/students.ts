/** S on this machine: the students of the models folder in onnxruntime-node, as the embedded origin runs them. */
import { readdir, readFile } from "node:fs/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { type Calibration, calibrationFile } from "../classify/calibration.ts";
import { createStudent, type Student, sideOf } from "../classify/student.ts";
import { readCard } from "../runtime/read-card.ts";

export interface LocalStudent extends Student {
  /** @param pixels uint8 RGB [side, side, 3]. @returns float32 [classes]. */
  readonly logits: (pixels: Uint8Array) => Promise<Float32Array>;
}

/** Smallest first. @throws Error if there is none, or one does not fit its card. */
export async function readStudents(models: URL = new URL("../../models/", import.meta.url)): Promise<LocalStudent[]> {
  const names = (await readdir(models)).filter((name) => name.startsWith("student-"));
  if (names.length === 0) throw new Error(`There is no student in ${models.pathname}.`);
  const calibration = calibrationFile.parse(JSON.parse(await readFile(new URL("calibration.json", models), "utf8")));
  const students = await Promise.all(names.map((name) => readStudent(new URL(`${name}/`, models), calibration)));
  return students.sort((a, b) => sideOf(a) - sideOf(b));
}

async function readStudent(folder: URL, calibration: Calibration): Promise<LocalStudent> {
  const card = await readCard(folder);
  const labels = await readFile(new URL(card.labels ?? "labels.txt", folder), "utf8");
  const student = createStudent(card, labels, calibration);
  let session: Promise<InferenceSession> | undefined;
  return {
    ...student,
    async logits(pixels) {
      session ??= InferenceSession.create(new URL("1/model.onnx", folder).pathname);
      const side = sideOf(student);
      const results = await (await session).run({ [card.input.name]: new Tensor("uint8", pixels, [1, side, side, 3]) });
      const logits = results[card.output.name]?.data;
      if (!(logits instanceof Float32Array))
        throw new Error(`${card.name} gave no float32 output ${card.output.name}.`);
      return logits;
    },
  };
}
