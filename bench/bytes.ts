/**
 * Accuracy against bytes: our thumbnails in every format, each read by every head, against plain JPEG, WebP and AVIF files of
 * the photo sent to the unmodified teacher, and to one that was fine-tuned on such files.
 *
 *     npm run bench -- bytes <photos> [every] [models of the fine-tuned teacher | --keep-rivals | --heads=<head>,<head>...]
 *
 * `--keep-rivals` measures thumbnails alone, on new models, and takes the plain photos from the results that are there: they
 * depend on nothing of ours but T. `--heads=` measures these heads alone and takes the others from there as well: do so where no
 * E has changed. `photos` is Imagenette's val folder, or one with a `labels.csv` of `file,class_index` over
 * ImageNet's thousand classes; `every` takes only each n-th photo (8 unless told). All of the path is the service's own: its decoders and resampler, E, its encoders, the
 * reading back of what they wrote, the heads' files in onnxruntime. Rivals are made and read by sharp (libvips); smaller ones are
 * enlarged again with the same bicubic filter, as the teacher needs 224 pixels.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { narrow, positions } from "../src/classify/narrow.ts";
import { bestOf } from "../src/classify/probabilities.ts";
import { sideOf } from "../src/classify/student.ts";
import { type LocalStudent, readStudent, readStudentsAndTeacher } from "../src/cli/students.ts";
import { decode, decodeExact } from "../src/imaging/decode.ts";
import { encoders, type OutputFormat } from "../src/imaging/encode.ts";
import type { RgbImage } from "../src/imaging/image.ts";
import { downscalePhoto } from "../src/pipeline.ts";
import { loadCodec, nodeRuntime } from "../src/runtime/node.ts";
import { labelledPhotos } from "./labelled.ts";
import { payload } from "./payload.ts";
import { table, writeResults } from "./report.ts";

const KEEP = "--keep-rivals";
const ONLY = "--heads=";
const [, , folder = "", every = "8", third = ""] = process.argv;
const chosen = third.startsWith(ONLY) ? third.slice(ONLY.length).split(",") : undefined;
const keeps = third === KEEP || chosen !== undefined;
const tuned = keeps ? "" : third;
const SIDE = 224;

const OURS: readonly (readonly [OutputFormat, number])[] = [
  ["png", 0],
  ["avif", 90],
  ["avif", 80],
  ["avif", 65],
  ["avif", 50],
  ["avif", 40],
  ["avif", 30],
  ["webp", 90],
  ["webp", 75],
  ["webp", 50],
  ["webp", 35],
  ["webp", 20],
  ["jpeg", 75],
];
const RIVALS = {
  jpeg: [90, 60, 30],
  webp: [75, 40, 15, 0],
  avif: [60, 45, 30, 20, 12],
} as const;
const RIVAL_SIDES = [224, 112];

interface Tally {
  readonly sender: string;
  readonly side: number;
  readonly format: string;
  readonly quality: number;
  readonly head: string;
  /** Multiply-adds of the model at the origin. */
  readonly originFlops: number;
  bytes: number;
  /** Of them, without the container. */
  payload: number;
  correct: number;
}

interface Measured {
  readonly command: string;
  readonly date: string;
  readonly machine: object;
  readonly versions: object;
}

/** What a file of results holds. */
interface Report extends Measured {
  readonly photos: number;
  /** How the plain photos were measured, if before. */
  readonly rivals?: Measured;
  /** Heads that were measured before, and how. */
  readonly earlier?: readonly (Measured & { readonly heads: readonly string[] })[];
  readonly rows: readonly Row[];
}

type Row = Omit<Tally, "bytes" | "payload" | "correct"> & Record<"meanBytes" | "meanPayload" | "accuracy", number>;

/** What is sent, and how large it is. */
interface Sent extends Pick<Tally, "sender" | "side" | "format" | "quality" | "bytes" | "payload"> {}

/** A classifier, of the classes that the photos have. */
interface Reader {
  readonly name: string;
  readonly side: number;
  readonly flops: number;
  /** Index of the class, of a picture of `side` pixels. */
  readonly best: (pixels: Uint8Array) => Promise<number>;
}

const { photos, labels, name: set } = await labelledPhotos(folder, Number(every));
const kept = keeps ? await keptRows() : undefined;
const tallies = new Map<string, Tally>();
const runtime = await nodeRuntime();
const classifiers = (await readStudentsAndTeacher()).flatMap((student) => reader(student) ?? []);
const heads = classifiers.filter(({ side, name }) => side < SIDE && (chosen?.includes(name) ?? true));
for (const name of chosen ?? [])
  if (!heads.some((head) => head.name === name)) throw new Error(`Expected heads of models/, but got "${name}".`);
const teachers = classifiers.filter(({ side }) => side === SIDE);
if (tuned) teachers.push(await tunedReader(teachers[0]?.flops ?? 0));

for (const [done, { file, label }] of photos.entries()) {
  const bytes = await readFile(file);
  await ours(bytes, label);
  if (done % 25 === 24) process.stderr.write(`\r${done + 1} of ${photos.length}`);
  if (kept) continue;
  const square = await decode(bytes, { size: SIDE, filter: "bicubic", fit: "fill" }, loadCodec);
  const itself = weigh("photo itself", SIDE, "jpeg", 0, bytes);
  for (const teacher of teachers) count(itself, teacher, (await teacher.best(square.data)) === label);
  await rivals(square, label);
}

const measured = [...tallies.values()].map(({ bytes, payload, correct, ...what }) => ({
  ...what,
  meanBytes: Math.round(bytes / photos.length),
  meanPayload: Math.round(payload / photos.length),
  accuracy: correct / photos.length,
}));
const rows = [...measured, ...(kept?.rows ?? [])];
console.log(
  table(
    ["sent", "side", "quality", "read by", "mean bytes", "top-1 %", "Mflop at the origin"],
    rows.map((row) => [
      `${row.sender} ${row.format}`,
      `${row.side}`,
      row.quality ? `${row.quality}` : "",
      row.head,
      `${row.meanBytes}`,
      (row.accuracy * 100).toFixed(2),
      (row.originFlops / 1e6).toFixed(0),
    ]),
  ),
);
const parameters = `<${set}> ${every}${tuned && " <models of the fine-tuned teacher>"}${kept ? ` ${third}` : ""}`;
const report = { photos: photos.length, ...(kept && { rivals: kept.rivals, earlier: kept.earlier }), rows };
await writeResults(`bytes-${set}`, parameters, report, {}, "bytes");

/** Rows of the results that are there and stay: the plain photos' and those of heads that are not measured now. */
async function keptRows() {
  const old: Report = JSON.parse(await readFile(new URL(`results/bytes-${set}.json`, import.meta.url), "utf8"));
  if (old.photos !== photos.length)
    throw new Error(`Expected results of ${photos.length} photos, but got ${old.photos}.`);
  const { command, date, machine, versions } = old;
  const measured = { command, date, machine, versions };
  const stays = (head: string) => chosen !== undefined && !chosen.includes(head);
  const before = (old.earlier ?? []).flatMap(({ heads }) => heads);
  const last = old.rows.filter(({ sender, head }) => sender === "thumbnail" && !before.includes(head));
  const earlier = [...(old.earlier ?? []), { heads: [...new Set(last.map(({ head }) => head))], ...measured }]
    .map((entry) => ({ ...entry, heads: entry.heads.filter(stays) }))
    .filter((entry) => entry.heads.length > 0);
  const rows = old.rows.filter(({ sender, head }) => sender !== "thumbnail" || stays(head));
  return { rows, rivals: old.rivals ?? measured, earlier };
}

/** Undefined if the model does not know all of the photos' classes. */
function reader(student: LocalStudent): Reader | undefined {
  const places = positions(student.labels, labels);
  if (!places) return undefined;
  const best = async (pixels: Uint8Array) => bestOf(narrow(await student.logits(pixels), places));
  return { name: student.card.name, side: sideOf(student), flops: student.card.flops, best };
}

/** `thumbnet export` of a run of 224 pixels: the teacher's architecture and cost, other weights. */
async function tunedReader(flops: number): Promise<Reader> {
  const model = pathToFileURL(join(tuned, `student-${SIDE}/`));
  const found = reader(await readStudent(model));
  if (!found) throw new Error(`${model.pathname} does not know the photos' classes.`);
  return { ...found, name: "teacher-224, fine-tuned", flops };
}

async function ours(photo: Uint8Array, label: number): Promise<void> {
  for (const { size } of runtime.downscalers) {
    const readers = heads.filter(({ side }) => side === size);
    if (readers.length === 0) continue;
    const thumbnail = await downscalePhoto(photo, { size, format: "npy" }, runtime);
    for (const [format, quality] of OURS) {
      const file = await encoders[format].encode(thumbnail, { quality }, loadCodec);
      const { data } = await decodeExact(file, loadCodec);
      const sent = weigh("thumbnail", size, format, quality, file);
      for (const head of readers) count(sent, head, (await head.best(data)) === label);
    }
  }
}

async function rivals({ data }: RgbImage, label: number): Promise<void> {
  const raw = { raw: { width: SIDE, height: SIDE, channels: 3 as const } };
  for (const side of RIVAL_SIDES) {
    const small = await sharp(data, raw).resize(side, side, { fit: "fill", kernel: "cubic" }).raw().toBuffer();
    const picture = { raw: { width: side, height: side, channels: 3 as const } };
    for (const [format, qualities] of Object.entries(RIVALS) as [keyof typeof RIVALS, readonly number[]][]) {
      for (const quality of qualities) {
        const file = await sharp(small, picture)
          .toFormat(format, { quality: Math.max(1, quality) })
          .toBuffer();
        const seen = await sharp(file)
          .resize(SIDE, SIDE, { fit: "fill", kernel: "cubic" })
          .removeAlpha()
          .raw()
          .toBuffer();
        const sent = weigh("photo", side, format, quality, file);
        for (const teacher of teachers) count(sent, teacher, (await teacher.best(new Uint8Array(seen))) === label);
      }
    }
  }
}

function weigh(sender: string, side: number, format: OutputFormat, quality: number, file: Uint8Array): Sent {
  return { sender, side, format, quality, bytes: file.length, payload: payload(format, file) };
}

function count({ bytes, payload, ...what }: Sent, { name: head, flops: originFlops }: Reader, right: boolean): void {
  const key = [...Object.values(what), head].join(" ");
  const tally = tallies.get(key) ?? { ...what, head, originFlops, bytes: 0, payload: 0, correct: 0 };
  tallies.set(key, tally);
  tally.bytes += bytes;
  tally.payload += payload;
  tally.correct += right ? 1 : 0;
}
