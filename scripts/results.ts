/** What benchmarks wrote to `bench/results`, checked; and the line below a table that says where its figures come from. */
import { readFile } from "node:fs/promises";
import { z } from "zod";

const about = {
  command: z.string(),
  date: z.string(),
  machine: z.object({ cpu: z.string(), cores: z.number() }),
  versions: z.record(z.string(), z.string()),
};

const rowsOf = <Row extends z.ZodRawShape>(row: Row) => z.object({ ...about, rows: z.array(z.object(row)) });

const growth = z.object({ slope: z.number(), error: z.number() });

/** By the name of the benchmark. */
const SCHEMAS = {
  fuzz: z.object({
    ...about,
    runs: z.array(
      z.object({
        images: z.number(),
        seed: z.number(),
        date: z.string(),
        statuses: z.record(z.string(), z.number()),
        slowestMs: z.number(),
        perThousand: z.object({ isolate: growth }),
        faults: z.array(z.string()),
      }),
    ),
  }),
  soak: z.object({
    ...about,
    faultRate: z.number(),
    answers: z.number(),
    counts: z.record(z.string(), z.number()),
    growth,
    faults: z.array(z.string()),
  }),
  decode: rowsOf({
    format: z.string(),
    megapixels: z.string(),
    fileKB: z.number(),
    sharpMs: z.number(),
    ratio: z.number(),
  }),
  encode: rowsOf({
    format: z.string(),
    size: z.number(),
    bytes: z.number(),
    sharpBytes: z.number(),
    ratio: z.number(),
  }),
  memory: rowsOf({ image: z.string(), megapixels: z.number(), peakMB: z.number() }),
  wire: rowsOf({ form: z.string(), pixels: z.number(), bytes: z.number() }),
  request: rowsOf({
    name: z.string(),
    ms: z.number(),
    cpuMs: z.number(),
    byBare: z.number().optional(),
    byHit: z.number().optional(),
  }).extend({
    photo: z.object({ megapixels: z.number(), bytes: z.number() }),
    cold: z.object({
      ms: z.number(),
      cpuMs: z.number(),
      simd: z.object({ ms: z.number(), cpuMs: z.number() }).optional(),
    }),
  }),
  throughput: rowsOf({
    server: z.string(),
    connections: z.number(),
    perSecond: z.number(),
    p50Ms: z.number(),
    p99Ms: z.number(),
    byIpx: z.number(),
  }),
  downscaler: rowsOf({
    size: z.number(),
    batch: z.number(),
    workerdMs: z.number(),
    nativeMs: z.number(),
    ratio: z.number(),
    ofSingle: z.number(),
    simdRatio: z.number().optional(),
  }).extend({
    bundle: z.object({ allBytes: z.number(), wasmBytes: z.number(), wasmGzipBytes: z.number() }),
    startUp: z.object({
      loadMs: z.number(),
      firstRunMs: z.number(),
      simdLoadMs: z.number(),
      simdFirstRunMs: z.number(),
    }),
  }),
};

export type Benchmark = keyof typeof SCHEMAS;
export type Results<Name extends Benchmark> = z.infer<(typeof SCHEMAS)[Name]>;

/** @returns undefined for a benchmark that was not run yet. @throws Error if the file is not what the benchmark writes. */
export async function readResults<Name extends Benchmark>(name: Name): Promise<Results<Name> | undefined> {
  const text = await readFile(new URL(`../bench/results/${name}.json`, import.meta.url), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (SCHEMAS[name].parse(JSON.parse(text)) as Results<Name>);
}

/** `render` of a benchmark's results with their origin below, or how to get them. */
export async function measured<Name extends Benchmark>(
  name: Name,
  render: (results: Results<Name>) => string,
  programs: readonly string[] = ["workerd"],
): Promise<string> {
  const results = await readResults(name);
  if (!results) return `Not measured yet: \`npm run bench -- ${name}\`.`;
  const { command, date, machine, versions } = results;
  const used = ["node", ...programs].map((program) => `${program} ${versions[program] ?? "unknown"}`);
  return `${render(results)}\n\n(\`${command}\`, ${date}, ${used.join(", ")}, ${machine.cpu}, ${machine.cores} cores.)`;
}
