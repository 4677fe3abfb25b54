/**
 * The model card: the only contract between training and everything that serves.
 *
 * One `card.json` lies beside each model in `models/<name>/` (a Triton model repository). It is validated here whenever it
 * is loaded, so that a model of the wrong shape is refused at start and not discovered in somebody's labels.
 */
import { z } from "zod";

const tensor = z.object({
  name: z.string().min(1),
  /** Open Inference Protocol datatype. */
  datatype: z.enum(["UINT8", "FP32"]),
  /** -1 is the batch axis; images are NHWC, RGB, 0..255. */
  shape: z.array(z.int()).min(2),
  layout: z.string().optional(),
  color: z.literal("RGB").optional(),
  range: z.tuple([z.number(), z.number()]).optional(),
});

/**
 * The kinds of classifier that read thumbnails: T's architecture; the same with more of its early resolution; that for all of T's
 * classes; one whose maps are all as large as T's; T itself.
 */
export const HEADS = ["student", "student-low-stride", "student-thousand", "student-full", "restored"] as const;
export type Head = (typeof HEADS)[number];

const evaluation = z.object({
  dataset: z.string(),
  images: z.int().positive(),
  metric: z.string(),
  value: z.number(),
  baseline: z.record(z.string(), z.number()).optional(),
  how: z.string(),
});

export const modelCard = z.object({
  schema: z.literal(1),
  name: z.string().regex(/^[a-z0-9-]+$/),
  role: z.enum(["downscaler", "student", "teacher", "restorer"]),
  version: z.string(),
  /** For a student: which kind it is of those that read the same thumbnails. */
  head: z.enum(HEADS).default("student"),
  /** For an ensemble: the models that run one after the other at the origin; it has no file of its own. */
  steps: z.array(z.string()).min(2).optional(),
  input: tensor,
  output: tensor,
  /** How a photo becomes the input of a downscaler or teacher; null for what reads thumbnails. */
  preprocessing: z
    .object({
      size: z.int().positive(),
      filter: z.enum(["bilinear", "bicubic"]),
      fit: z.enum(["fill", "cover"]),
    })
    .nullable(),
  /** For a student: the downscaler whose thumbnails it was trained on. */
  downscaler: z.string().nullable(),
  /** For a downscaler: the students that read its thumbnails. */
  students: z.array(z.string()),
  classes: z.int().positive().nullable(),
  labels: z.string().nullable(),
  /** Of `1/model.onnx`, or of the lines of its steps' digests, lower-case hex. It is part of every cache key. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().positive(),
  parameters: z.int().positive(),
  flops: z.number().positive(),
  training: z.record(z.string(), z.unknown()),
  evaluation: z.array(evaluation),
  limits: z.string(),
});

export type ModelCard = z.infer<typeof modelCard>;

/**
 * Validates the parsed JSON of a card.
 *
 * @throws Error that names the card and each field with what was expected. A bad card is a fault of the deployment,
 *   not of a request, so it is not a `Problem`.
 */
export function parseCard(json: unknown, where: string): ModelCard {
  const result = modelCard.safeParse(json);
  if (result.success) return result.data;
  throw new Error(`The model card ${where} is not valid:\n${z.prettifyError(result.error)}`);
}
