/**
 * Accuracy against bytes: our thumbnails in every format, each read by every head, against plain JPEG, WebP and AVIF files of
 * the photo sent to the unmodified teacher.
 *
 *     npm run bench -- bytes /work/imagenette/val [every] [all|ours|rivals]
 *
 * `every` takes only each n-th photo (8 unless told). After new models were trained `ours` measures them alone and keeps what was
 * measured of the rivals, whose files and teacher are the same; it takes a tenth of the time. All of the path is the service's own: its decoders and resampler, E, its
 * encoders, the reading back of what they wrote, the heads' files in onnxruntime. Rivals are made and read by sharp (libvips);
 * smaller ones are enlarged again with the same bicubic filter, as the teacher needs 224 pixels.
 */
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { bestOf } from "../src/classify/probabilities.ts";
import { readStudentsAndTeacher } from "../src/cli/students.ts";
import { decode, decodeExact } from "../src/imaging/decode.ts";
import { encoders, type OutputFormat } from "../src/imaging/encode.ts";
import type { RgbImage } from "../src/imaging/image.ts";
import { downscalePhoto } from "../src/pipeline.ts";
import { loadCodec, nodeRuntime } from "../src/runtime/node.ts";
import { labelledPhotos } from "./cascade/answers.ts";
import { table, writeResults } from "./report.ts";

const [, , photos = "", every = "8", part = "all"] = process.argv;
const SIDE = 224;

/** Who reads which size, and in which files. */
const HEADS = {
  56: ["student-56", "student-56-low-stride", "restored-56"],
  112: ["student-112", "restored-112"],
} as const;
const OURS: readonly (readonly [OutputFormat, number])[] = [
  ["png", 0],
  ["webp", 90],
  ["webp", 75],
  ["webp", 50],
  ["webp", 20],
  ["jpeg", 75],
];
const RIVALS = {
  jpeg: [90, 75, 50, 30, 15],
  webp: [75, 30, 5, 0],
  avif: [50, 30, 15],
} as const;
const RIVAL_SIDES = [224, 112, 56];

interface Tally {
  readonly sender: string;
  readonly side: number;
  readonly format: string;
  readonly quality: number;
  readonly head: string;
  /** Multiply-adds of the model at the origin. */
  readonly originFlops: number;
  bytes: number;
  correct: number;
}
const tallies = new Map<string, Tally>();

const runtime = await nodeRuntime();
const classifiers = await readStudentsAndTeacher();
const teacher = loadHead("teacher-224");
const heads = Object.entries(HEADS).map(([size, names]) => ({ size: Number(size), readers: names.map(loadHead) }));

const files = await labelledPhotos(photos, Number(every));
for (const [done, { file, label }] of files.entries()) {
  const bytes = await readFile(file);
  if (part !== "rivals") await ours(bytes, label);
  if (done % 50 === 49) console.error(`${done + 1} of ${files.length}`);
  if (part === "ours") continue;
  const square = await decode(bytes, { size: SIDE, filter: "bicubic", fit: "fill" }, loadCodec);
  count(
    ["photo itself", SIDE, "jpeg", 0],
    "teacher-224",
    teacher.flops,
    bytes.length,
    (await teacher.best(square.data)) === label,
  );
  await rivals(square, label);
}

const measured = [...tallies.values()].map(({ bytes, correct, ...what }) => ({
  ...what,
  meanBytes: Math.round(bytes / files.length),
  accuracy: correct / files.length,
}));
const rows = part === "all" ? measured : await withKept(measured);
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
await writeResults("bytes", `<val> ${every}${part === "all" ? "" : ` ${part}`}`, { photos: files.length, rows });

type Row = (typeof measured)[number];

/** What an earlier run over the same photos measured of the other part. */
async function withKept(found: readonly Row[]): Promise<readonly Row[]> {
  const before = await readFile(new URL("results/bytes.json", import.meta.url), "utf8").catch(() => "{}");
  const { photos: count, rows = [] }: { photos?: number; rows?: readonly Row[] } = JSON.parse(before);
  const others = rows.filter(({ sender }) => (sender === "thumbnail") !== (part === "ours"));
  return count === files.length ? [...found, ...others] : found;
}

function loadHead(name: string) {
  const student = classifiers.find(({ card }) => card.name === name);
  if (!student) throw new Error(`There is no model ${name}.`);
  const best = async (pixels: Uint8Array) => bestOf(await student.logits(pixels));
  return { name, flops: student.card.flops, best };
}

async function ours(photo: Uint8Array, label: number): Promise<void> {
  for (const { size, readers } of heads) {
    const thumbnail = await downscalePhoto(photo, { size, format: "npy" }, runtime);
    for (const [format, quality] of OURS) {
      const file = await encoders[format].encode(thumbnail, { quality }, loadCodec);
      const { data } = await decodeExact(file, loadCodec);
      for (const { name, flops, best } of readers)
        count(["thumbnail", size, format, quality], name, flops, file.length, (await best(data)) === label);
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
        const right = (await teacher.best(new Uint8Array(seen))) === label;
        count(["photo", side, format, quality], "teacher-224", teacher.flops, file.length, right);
      }
    }
  }
}

function count(
  [sender, side, format, quality]: readonly [string, number, string, number],
  head: string,
  originFlops: number,
  bytes: number,
  right: boolean,
): void {
  const key = [sender, side, format, quality, head].join(" ");
  const tally = tallies.get(key) ?? { sender, side, format, quality, head, originFlops, bytes: 0, correct: 0 };
  tallies.set(key, tally);
  tally.bytes += bytes;
  tally.correct += right ? 1 : 0;
}
