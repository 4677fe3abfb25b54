/** What a page that uses `thumbnet-edge/browser` may have to load: the documentation's table, held by test/browser/downscaling.test.ts. */
import { table } from "../bench/report.ts";

interface Part {
  /** Beside the script. */
  readonly file: string;
  readonly what: string;
  readonly when: string;
  /** At most, in thousands of bytes: with gzip, but a model, which does not get smaller by much, as it is. */
  readonly kilobytes: number;
}

const ALWAYS = "any photo";

export const BROWSER_BUDGET: readonly Part[] = [
  { file: "index.js", what: "the script", when: ALWAYS, kilobytes: 80 },
  { file: "onnxruntime.wasm", what: "ONNX Runtime", when: ALWAYS, kilobytes: 3800 },
  { file: "resample.wasm", what: "the resampler", when: ALWAYS, kilobytes: 1 },
  { file: "downscaler-<size>.json", what: "the model's card", when: ALWAYS, kilobytes: 2 },
  { file: "downscaler-<size>.onnx", what: "the model", when: ALWAYS, kilobytes: 100 },
  { file: "jpeg-turbo.wasm", what: "decoder", when: "a JPEG photo", kilobytes: 55 },
  { file: "webp-decode.wasm", what: "decoder", when: "a WebP photo", kilobytes: 55 },
  { file: "avif-decode.wasm", what: "decoder", when: "an AVIF photo", kilobytes: 360 },
  { file: "webp-encode.wasm", what: "encoder", when: '`format: "webp"`', kilobytes: 135 },
  { file: "avif-encode.wasm", what: "encoder", when: '`format: "avif"`', kilobytes: 1150 },
  { file: "jpeg-encode.wasm", what: "encoder", when: '`format: "jpeg"`', kilobytes: 65 },
];

export const forAnyPhoto = BROWSER_BUDGET.filter(({ when }) => when === ALWAYS);

export function budgetTable(): string {
  const sum = forAnyPhoto.reduce((total, { kilobytes }) => total + kilobytes, 0);
  return table(
    ["loaded for", "what", "file", "at most, kB"],
    [
      ...BROWSER_BUDGET.map(({ when, what, file, kilobytes }) => [when, what, `\`${file}\``, String(kilobytes)]),
      ["**any photo, in all**", "", "", `**${sum}**`],
    ],
  );
}
