/**
 * The adaptive cascades, measured: temperatures and thresholds fitted on one half of the photos, everything reported on the other.
 *
 *     npm run bench -- cascade <imagenette val> <thousand classes> [every]
 *
 * The cascades of the small students, on Imagenette's ten classes or on photos with a `labels.csv` over ImageNet's thousand, where they
 * save work at the origin; that of the students with the teacher's map sizes and the restorers' on the latter, where they save bytes
 * alone. `every` takes only each n-th photo of the former. Writes
 * `models/calibration.json`, which the Worker's bundle reads, and `bench/results/cascade.json`. Run it whenever a model is trained
 * anew: a calibration holds for one file.
 */
import { writeFile } from "node:fs/promises";
import type { Calibration } from "../src/classify/calibration.ts";
import { classifyAll, loadStages } from "./cascade/answers.ts";
import { measureCascade, type Saving } from "./cascade/measure.ts";
import { table, writeResults } from "./report.ts";

const [, , imagenette = "", thousand = "", every = "1"] = process.argv;
const TEACHER = "teacher-224";

const STUDENTS = ["student-56", "student-112", TEACHER];
const LOW_STRIDE = ["student-56-low-stride", "student-112", TEACHER];
const WIDE = ["student-56-thousand", "student-112", TEACHER];
const FULL = ["student-56-full", "student-112-full", TEACHER];
const RESTORED = ["restored-56", "restored-112", TEACHER];

const ofTen = await answersOf([STUDENTS, LOW_STRIDE], imagenette, Number(every));
const ofThousand = await answersOf([WIDE, FULL, RESTORED], thousand, 1);
const students = measure(ofTen, "meanFlops", STUDENTS);
const lowStride = measure(ofTen, "meanFlops", LOW_STRIDE);
const wide = measure(ofThousand, "meanFlops", WIDE);
const full = measure(ofThousand, "meanBytes", FULL);
const restored = measure(ofThousand, "meanBytes", RESTORED);

const calibration: Calibration = {
  schema: 1,
  // What several cascades ask has the numbers of the last here: student-112 those of the ten classes.
  models: { ...wide.models, ...lowStride.models, ...students.models, ...full.models, ...restored.models },
  how:
    `Temperatures of least negative log-likelihood: of student-56, student-56-low-stride and student-112 on ${students.fitted} photos of ` +
    `Imagenette's validation set, of the others on ${restored.fitted} of NIPS-2017's; calibration errors on as many others. Thresholds are ` +
    "those that save most (of these three and student-56-thousand: multiply-adds at the origin; of the others: bytes) of all that cost at " +
    `most 1.5 points of top-1 against ${TEACHER}, on the former.`,
};
await writeFile("models/calibration.json", `${JSON.stringify(calibration, null, 2)}\n`);
await writeResults("cascade", `<imagenette val> <thousand classes> ${every}`, {
  students,
  lowStride,
  wide,
  full,
  restored,
});

/** What several cascades are made of: each photo is asked once of each model. */
async function answersOf(cascades: readonly (readonly string[])[], photos: string, nth: number) {
  const stages = await loadStages([...new Set(cascades.flat())]);
  return { stages, images: await classifyAll(stages, photos, nth) };
}

function measure({ stages, images }: Awaited<ReturnType<typeof answersOf>>, saving: Saving, names: readonly string[]) {
  const places = names.map((name) => stages.findIndex(({ card }) => card.name === name));
  const found = measureCascade(
    places.flatMap((place) => stages[place] ?? []),
    images.map(({ label, logits }) => ({ label, logits: places.flatMap((place) => logits[place] ?? []) })),
    saving,
  );
  const whole = found.rows.find(({ cascade }) => cascade === TEACHER);
  const share = (value: number, of: number | undefined) => (value / (of ?? Number.NaN)).toFixed(3);
  console.log(
    table(
      [
        "cascade",
        "thresholds",
        "top-1 %",
        "bytes sent",
        "of T's",
        "Mflop at the origin",
        "of T's",
        "decided by each, %",
      ],
      found.rows.map((row) => [
        row.cascade,
        row.thresholds.join(" "),
        (row.accuracy * 100).toFixed(2),
        row.meanBytes.toFixed(0),
        share(row.meanBytes, whole?.meanBytes),
        (row.meanOriginFlops / 1e6).toFixed(1),
        share(row.meanOriginFlops, whole?.meanOriginFlops),
        row.decided.map((part) => (part * 100).toFixed(0)).join(" / "),
      ]),
    ),
  );
  return found;
}
