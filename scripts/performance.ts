/** Tables of docs/performance.md: the targets with what was measured, and each benchmark's figures. */
import { table } from "../bench/report.ts";
import { type Benchmark, measured, type Results, readResults } from "./results.ts";

interface Target {
  readonly what: string;
  readonly unit: "x" | "ms" | "MB";
  readonly goal: number;
  readonly floor: number;
  /** Absent for what more is better of. */
  readonly atLeast?: true;
  /** The worst of the figures that the target is about; none if they were not measured. */
  readonly figure: (results: All) => number | undefined;
}

type All = { readonly [Name in Exclude<Benchmark, "fuzz" | "soak">]: Results<Name> | undefined };

const decoded =
  (format: string, ...sizes: string[]) =>
  ({ decode }: All) =>
    worst(
      decode?.rows.filter((row) => row.format.startsWith(format) && sizes.includes(row.megapixels)),
      "ratio",
    );

const asked =
  (name: string, by: "byBare" | "byHit") =>
  ({ request }: All) =>
    request?.rows.find((row) => row.name === name)?.[by];

const thumbnailsOf =
  (name: string) =>
  ({ throughput }: All) => {
    const ratios = throughput?.rows.filter(({ server }) => server === name).map(({ byIpx }) => byIpx);
    return ratios?.length ? Math.min(...ratios) : undefined;
  };

/** The SIMD kernel's figure from that of ONNX Runtime in the same run. */
const bySimd = (pick: "ratio" | "workerdMs") => (all: All) =>
  worst(
    single(all)?.flatMap((row) => (row.simdRatio === undefined ? [] : [{ figure: row[pick] * row.simdRatio }])),
    "figure",
  );

const single = ({ downscaler }: All) => downscaler?.rows.filter(({ batch, size }) => batch === 1 && size === 56);

const TARGETS: readonly Target[] = [
  { what: "JPEG 2 MP to 224, against sharp", unit: "x", goal: 1.2, floor: 1.6, figure: decoded("JPEG baseline", "2") },
  { what: "JPEG 12 and 20 MP, baseline", unit: "x", goal: 2, floor: 3, figure: decoded("JPEG baseline", "12", "20") },
  {
    what: "JPEG 12 and 20 MP, progressive",
    unit: "x",
    goal: 1,
    floor: 2,
    figure: decoded("JPEG progressive", "12", "20"),
  },
  { what: "PNG 2 MP", unit: "x", goal: 2, floor: 4, figure: decoded("PNG", "2") },
  {
    what: "E at 56 px in workerd, against native ONNX Runtime, 1 thread",
    unit: "x",
    goal: 2.5,
    floor: 4,
    figure: (all) => worst(single(all), "ratio"),
  },
  {
    what: "E at 56 px in workerd",
    unit: "ms",
    goal: 3,
    floor: Infinity,
    figure: (all) => worst(single(all), "workerdMs"),
  },
  {
    what: "E at 56 px with the SIMD kernel, against native ONNX Runtime",
    unit: "x",
    goal: 2.5,
    floor: 4,
    figure: bySimd("ratio"),
  },
  { what: "E at 56 px with the SIMD kernel", unit: "ms", goal: 3, floor: Infinity, figure: bySimd("workerdMs") },
  { what: "Hit in R2, against a bare Worker", unit: "x", goal: 1.15, floor: 1.4, figure: asked("R2 hit", "byBare") },
  { what: "304, against a hit at the edge", unit: "x", goal: 0.7, floor: 1, figure: asked("304 of the edge", "byHit") },
  {
    what: "Peak memory of the isolate, any accepted image",
    unit: "MB",
    goal: 96,
    floor: 120,
    figure: ({ memory }) => worst(memory?.rows, "peakMB"),
  },
  {
    what: "Cold start to the first thumbnail, without the source",
    unit: "ms",
    goal: 500,
    floor: 1000,
    figure: ({ request }) => request?.cold.ms,
  },
  {
    what: "the same, SIMD kernel",
    unit: "ms",
    goal: 500,
    floor: 1000,
    figure: ({ request }) => request?.cold.simd?.ms,
  },
  {
    what: "Misses per second, 2 MP JPEG to 56 px, against ipx",
    unit: "x",
    goal: 1,
    floor: 0.6,
    atLeast: true,
    figure: thumbnailsOf("ThumbNet Edge"),
  },
  {
    what: "Misses per second with the SIMD kernel, against ipx",
    unit: "x",
    goal: 1,
    floor: 0.6,
    atLeast: true,
    figure: thumbnailsOf("ThumbNet Edge, SIMD"),
  },
];

export async function targetTable(): Promise<string> {
  const all: All = {
    decode: await readResults("decode"),
    encode: await readResults("encode"),
    memory: await readResults("memory"),
    wire: await readResults("wire"),
    request: await readResults("request"),
    throughput: await readResults("throughput"),
    downscaler: await readResults("downscaler"),
  };
  return table(
    ["what", "goal", "floor", "measured", "reached"],
    TARGETS.map((target) => {
      const { what, unit, goal, floor, atLeast, figure } = target;
      const bound = atLeast ? "at least" : "at most";
      const value = figure(all);
      const show = (number: number) => (number === Infinity ? "" : `${bound} ${number} ${unit}`);
      const found = value === undefined ? "not yet" : `${value.toFixed(unit === "x" || value < 10 ? 2 : 0)} ${unit}`;
      return [what, show(goal), show(floor), found, reached(value, target)];
    }),
  );
}

export const requestTable = () =>
  measured("request", ({ rows, cold, photo }) => {
    const figures = table(
      ["request", "ms", "CPU ms, at most", "by the bare Worker's time", "by a hit's"],
      rows.map(({ name, ms, cpuMs, byBare, byHit }) => [name, fixed(ms), fixed(cpuMs), fixed(byBare), fixed(byHit)]),
    );
    return `${figures}\n\nThe photo is a JPEG of ${photo.megapixels} MP, ${kilobytes(photo.bytes)} kB. Cold start: ${cold.ms.toFixed(0)} ms, ${cold.cpuMs.toFixed(0)} ms of them CPU${
      cold.simd
        ? `; with the SIMD kernel ${cold.simd.ms.toFixed(0)} ms, ${cold.simd.cpuMs.toFixed(0)} ms of them CPU`
        : ""
    }.`;
  });

export const throughputTable = () =>
  measured(
    "throughput",
    ({ rows }) =>
      table(
        ["server", "connections", "thumbnails/s", "p50 ms", "p99 ms", "by ipx's"],
        rows.map((row) => [
          row.server,
          String(row.connections),
          row.perSecond.toFixed(1),
          row.p50Ms.toFixed(0),
          row.p99Ms.toFixed(0),
          fixed(row.byIpx),
        ]),
      ),
    ["workerd", "ipx", "sharp of ipx"],
  );

export const downscalerTable = () =>
  measured(
    "downscaler",
    ({ rows, bundle, startUp }) => {
      const figures = table(
        [
          "pixels",
          "images a call",
          "workerd, ms an image",
          "native, ms an image",
          "workerd / native",
          "by one image a call",
          "SIMD kernel / ONNX Runtime",
        ],
        rows.map((row) => [
          String(row.size),
          String(row.batch),
          fixed(row.workerdMs),
          fixed(row.nativeMs),
          fixed(row.ratio),
          fixed(row.ofSingle),
          fixed(row.simdRatio),
        ]),
      );
      return (
        `${figures}\n\nONNX Runtime is ${mebibytes(bundle.wasmBytes)} of this bundle's ${mebibytes(bundle.allBytes)} MiB ` +
        `(${mebibytes(bundle.wasmGzipBytes)} MiB with gzip). It loads ${startUp.loadMs.toFixed(0)} ms longer than a bare Worker; the first ` +
        `run of a model takes ${startUp.firstRunMs.toFixed(0)} ms; the SIMD kernel's ${startUp.simdLoadMs.toFixed(0)} and ` +
        `${startUp.simdFirstRunMs.toFixed(0)} ms.`
      );
    },
    ["workerd", "onnxruntime-web", "onnxruntime-node"],
  );

export const decodeTable = () =>
  measured(
    "decode",
    ({ rows }) =>
      table(
        ["format", "megapixels", "file kB", "ours / sharp"],
        rows.map((row) => [row.format, row.megapixels, row.fileKB.toFixed(0), fixed(row.ratio)]),
      ),
    ["sharp"],
  );

export const encodeTable = () =>
  measured(
    "encode",
    ({ rows }) =>
      table(
        ["format", "pixels", "bytes", "sharp's bytes", "ours / sharp, time"],
        rows.map((row) => [
          row.format,
          String(row.size),
          row.bytes.toFixed(0),
          row.sharpBytes.toFixed(0),
          fixed(row.ratio),
        ]),
      ),
    ["sharp"],
  );

function worst<Key extends string>(rows: readonly Record<Key, number>[] | undefined, key: Key): number | undefined {
  return rows?.length ? Math.max(...rows.map((row) => row[key])) : undefined;
}

function reached(value: number | undefined, { goal, floor, atLeast }: Target): string {
  if (value === undefined) return "";
  const within = (bound: number) => (atLeast ? value >= bound : value <= bound);
  if (within(goal)) return "goal";
  return floor === Infinity || !within(floor) ? "**no**" : "floor";
}

const fixed = (value: number | undefined) => value?.toFixed(2) ?? "";
const kilobytes = (bytes: number) => (bytes / 1000).toFixed(0);
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
