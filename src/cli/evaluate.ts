/** `thumbnet-edge evaluate`: how well the models do on somebody's own photos, and what they save. */
import { readdir } from "node:fs/promises";
import { bestOf } from "../classify/probabilities.ts";
import { type Student, sideOf } from "../classify/student.ts";
import { decodeExact } from "../imaging/decode.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import { loadCodec } from "../runtime/node.ts";
import { type Command, UsageError } from "./command.ts";
import { JOBS_OPTION, jobsOf, makeThumbnails } from "./make.ts";
import { findPhotos } from "./photos.ts";
import { type LocalStudent, readStudents } from "./students.ts";

/** What thumbnails are sent as: lossless, and at the service's own quality. */
const FORMATS = ["png", "webp"] as const;

interface Row {
  readonly student: LocalStudent;
  readonly spec: ThumbnailSpec;
  correct: number;
  bytes: number;
}

export const evaluate: Command = {
  summary: "Measures accuracy and bytes on your own labelled photos.",
  usage: "<folder with a folder for each class>",
  details: `Each class has a folder of the name of its label; case and "-", "_" and spaces do not matter. Each photo becomes the thumbnail
that the service would send, is read back from its file and is classified by the student of its size.`,
  options: {
    json: { type: "boolean", help: "The results as one JSON document." },
    ...JOBS_OPTION,
  },
  async run(line) {
    const [folder, ...others] = line.positionals;
    if (folder === undefined || others.length)
      throw new UsageError("Expected one folder, with a folder for each class.");
    const students = await readStudents();
    const classes = await countClasses(folder, students);
    const photos = (await findPhotos([folder])).filter(({ name }) => name.includes("/"));
    const sizes = [...new Set(students.map(sideOf))];
    const specs = sizes.flatMap((size) => FORMATS.map((format) => ({ size, format })));
    const rows = students.flatMap((student): Row[] =>
      specs.filter(({ size }) => size === sideOf(student)).map((spec) => ({ student, spec, correct: 0, bytes: 0 })),
    );
    let evaluated = 0;
    let original = 0;
    const failed = await makeThumbnails(photos, specs, jobsOf(line), async (made) => {
      const [className = ""] = made.photo.name.split("/");
      for (const [i, { bytes: file }] of made.thumbnails.entries()) {
        const { data } = await decodeExact(file, loadCodec);
        for (const row of rows.filter(({ spec }) => spec === specs[i])) {
          row.bytes += file.length;
          const best = row.student.labels[bestOf(await row.student.logits(data))] ?? "";
          if (plain(best) === plain(className)) row.correct += 1;
        }
      }
      evaluated += 1;
      original += made.bytes;
    });
    if (evaluated === 0) throw new Error("None of the photos could be read.");
    const results = rows.map(({ student, spec, correct, bytes }) => ({
      model: student.card.name,
      format: spec.format,
      correct,
      accuracy: correct / evaluated,
      bytesPerThumbnail: bytes / evaluated,
    }));
    const summary = { photos: evaluated, classes, bytesPerPhoto: original / evaluated, results };
    console.log(line.flags.has("json") ? JSON.stringify(summary, null, 2) : report(summary));
    return failed ? 1 : 0;
  },
};

/** Folders that mean a class. @throws UsageError if one means none, or there is none. */
async function countClasses(folder: string, students: readonly Student[]): Promise<number> {
  const labels = new Map(students.flatMap((student) => student.labels).map((label) => [plain(label), label]));
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    throw new UsageError(`There is no folder "${folder}".`);
  });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (names.length === 0) throw new UsageError(`Expected a folder for each class in ${folder}, but there is none.`);
  const unknown = names.filter((name) => !labels.has(plain(name)));
  if (unknown.length) {
    const known =
      labels.size <= 20 ? [...labels.values()].join(", ") : `${labels.size} others; see models/*/labels.txt`;
    throw new UsageError(`The models do not know the class ${unknown.slice(0, 5).join(", ")}. They know ${known}.`);
  }
  return names.length;
}

const plain = (label: string) => label.toLowerCase().replaceAll(/[\s_-]+/g, " ");

interface Summary {
  readonly photos: number;
  readonly classes: number;
  readonly bytesPerPhoto: number;
  readonly results: readonly {
    readonly model: string;
    readonly format: string;
    readonly accuracy: number;
    readonly bytesPerThumbnail: number;
  }[];
}

function report({ photos, classes, bytesPerPhoto, results }: Summary): string {
  const rows = results.map(({ model, format, accuracy, bytesPerThumbnail }) =>
    [
      model.padEnd(22),
      format.padEnd(6),
      `${(accuracy * 100).toFixed(2)} %`.padStart(9),
      `${Math.round(bytesPerThumbnail)}`.padStart(9),
      `${(bytesPerPhoto / bytesPerThumbnail).toFixed(1)}x`.padStart(8),
    ].join(" "),
  );
  return [
    `${photos} photos of ${classes} classes, ${Math.round(bytesPerPhoto)} bytes each.\n`,
    `${"model".padEnd(22)} ${"format".padEnd(6)} ${"top-1".padStart(9)} ${"bytes".padStart(9)} ${"saved".padStart(8)}`,
    ...rows,
  ].join("\n");
}
