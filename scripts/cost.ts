/** Tables of docs/cost.md: list prices and, with what benchmarks measured, dollars for a million thumbnails. */
import { table } from "../bench/report.ts";
import { readResults } from "./results.ts";

interface Price {
  readonly dollars: number;
  /** What that buys. */
  readonly buys: string;
  readonly source: string;
  /** When it was last looked up. */
  readonly asOf: string;
}

/** List prices above what the plans include, without discounts. */
const PRICES = {
  request: { dollars: 0.3, buys: "a million requests to a Worker", source: "Cloudflare Workers", asOf: "2026-08" },
  cpu: {
    dollars: 0.02,
    buys: "a million milliseconds of a Worker's CPU",
    source: "Cloudflare Workers",
    asOf: "2026-08",
  },
  write: { dollars: 4.5, buys: "a million writes to R2 (class A)", source: "Cloudflare R2", asOf: "2026-11" },
  read: { dollars: 0.36, buys: "a million reads of R2 (class B)", source: "Cloudflare R2", asOf: "2026-11" },
  storage: { dollars: 0.015, buys: "a gigabyte in R2 for a month", source: "Cloudflare R2", asOf: "2026-11" },
  images: { dollars: 500, buys: "a million unique transformations", source: "Cloudflare Images", asOf: "2026-08" },
  gpu: { dollars: 1.006, buys: "an hour of an A10G with 4 processors (g5.xlarge)", source: "AWS EC2", asOf: "2026-06" },
  egress: { dollars: 0.09, buys: "a gigabyte sent to the internet", source: "AWS S3", asOf: "2025" },
} as const satisfies Record<string, Price>;

/** The processors beside the GPU, which decode the photos that are sent to it. */
const GPU_PROCESSORS = 4;

export function priceTable(): string {
  const rows = Object.values<Price>(PRICES).map(({ dollars, buys, source, asOf }) => [
    `$${dollars}`,
    buys,
    source,
    asOf,
  ]);
  return table(["list price", "buys", "of", "looked up"], rows);
}

export async function costTable(): Promise<string> {
  const [request, decode, wire] = [
    await readResults("request"),
    await readResults("decode"),
    await readResults("wire"),
  ];
  const cpu = (name: string) => request?.rows.find((row) => row.name === name)?.cpuMs;
  const [miss, r2, edge, unchanged] = [cpu("miss"), cpu("R2 hit"), cpu("edge hit"), cpu("304 of the edge")];
  const sharp = decode?.rows.find((row) => row.format === "JPEG baseline 4:2:0" && row.megapixels === "2");
  const tensor = wire?.rows.find((row) => row.form.includes("binary") && row.pixels === 56);
  const png = wire?.rows.find((row) => row.form.startsWith("PNG") && row.pixels === 56);
  if (!request || !sharp || !tensor || !png || [miss, r2, edge, unchanged].includes(undefined)) {
    return "Not measured yet: `npm run bench -- request`, `-- decode` and `-- wire`.";
  }
  const worker = (cpuMs = Number.NaN) => PRICES.request.dollars + cpuMs * PRICES.cpu.dollars;
  const gigabytes = (bytes: number) => (bytes * 1e6) / 1e9;
  const stored = gigabytes(png.bytes) * PRICES.storage.dollars;
  const hours = (1e6 * sharp.sharpMs) / 1000 / 3600 / GPU_PROCESSORS;
  const gpu = hours * PRICES.gpu.dollars;
  const { read, write, images, egress } = PRICES;
  const lines: readonly (readonly [string, string, number])[] = [
    [
      "ThumbNet Edge, miss",
      `${ms(miss)} of CPU, 3 reads of R2 (thumbnail, original, its version afterwards), 1 write`,
      worker(miss) + 3 * read.dollars + write.dollars,
    ],
    ["ThumbNet Edge, a month of keeping them", `${png.bytes} bytes each in R2`, stored],
    ["ThumbNet Edge, hit in R2", `${ms(r2)} of CPU, 1 read`, worker(r2) + read.dollars],
    ["ThumbNet Edge, hit at the edge", `${ms(edge)} of CPU`, worker(edge)],
    ["ThumbNet Edge, 304", `${ms(unchanged)} of CPU`, worker(unchanged)],
    ["Cloudflare Images, first time in a month", "1 unique transformation", images.dollars],
    ["Cloudflare Images, again in the same month", "no Worker in front", 0],
    [
      "Originals to a GPU, from R2",
      `${ms(sharp.sharpMs)} of one of ${GPU_PROCESSORS} processors, 1 read`,
      gpu + read.dollars,
    ],
    [
      "Originals to a GPU, from a store that charges for egress",
      `the same, ${(request.photo.bytes / 1000).toFixed(0)} kB each`,
      gpu + gigabytes(request.photo.bytes) * egress.dollars,
    ],
    ["Thumbnails to a GPU elsewhere", `${tensor.bytes} bytes each; Workers do not charge for egress`, 0],
  ];
  return `${table(
    ["a million of", "each takes", "dollars"],
    lines.map(([what, takes, dollars]) => [what, takes, dollars.toFixed(2)]),
  )}\n\nMeasured: \`${request.command}\`, \`${decode?.command}\`, \`${wire?.command}\` (${request.date}, ${request.machine.cpu}).`;
}

const ms = (value = Number.NaN) => `${value.toFixed(1)} ms`;
