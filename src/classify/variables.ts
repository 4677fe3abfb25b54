/** The Worker's variables about inference origins; `config.ts` spreads them among its own. */
import { z } from "zod";
import { integer, list } from "../variable.ts";
import { CLASSIFIER_DEFAULTS, type ClassifierConfig } from "./classifier.ts";

export const classifyVariables = {
  ORIGINS: list
    .pipe(z.array(z.string().transform(parseOrigin)))
    .default([])
    .meta({
      description:
        "Addresses of servers of the Open Inference Protocol (Triton, KServe, the embedded origin), the preferred one first, separated by commas or spaces, e.g. `https://gpu.example.com`. Without any there is no `/classify`.",
    }),
  ORIGIN_AUTHORIZATION: z
    .string()
    .regex(/^[\x20-\x7e]+$/)
    .optional()
    .meta({ description: "A secret: the Authorization header for the origins, e.g. `Bearer ...`." }),
  ORIGIN_TIMEOUT_MS: integer(100, 60_000)
    .default(CLASSIFIER_DEFAULTS.timeoutMs)
    .meta({ description: "Milliseconds until a classification has its answer, with all its attempts." }),
  ORIGIN_RETRIES: integer(0, 5)
    .default(CLASSIFIER_DEFAULTS.retries)
    .meta({ description: "Further attempts where every origin is busy or unreachable." }),
  ORIGIN_MAX_BATCH: integer(1, 1024)
    .default(CLASSIFIER_DEFAULTS.maxBatch)
    .meta({ description: "Most thumbnails in one request to an origin; at most the model's max_batch_size there." }),
};

const schema = z.object(classifyVariables);

export function classifierConfig(values: z.infer<typeof schema>): ClassifierConfig {
  const { ORIGINS, ORIGIN_AUTHORIZATION, ORIGIN_TIMEOUT_MS, ORIGIN_RETRIES, ORIGIN_MAX_BATCH } = values;
  return {
    ...CLASSIFIER_DEFAULTS,
    origins: ORIGINS.map((url) => ({ url, authorization: ORIGIN_AUTHORIZATION })),
    timeoutMs: ORIGIN_TIMEOUT_MS,
    retries: ORIGIN_RETRIES,
    maxBatch: ORIGIN_MAX_BATCH,
  };
}

function parseOrigin(text: string, context: z.RefinementCtx): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) {
    return url.href.replace(/\/+$/, "");
  }
  // The text may hold a password, so it is not repeated.
  context.addIssue("Expected http(s) addresses without credentials, query or fragment.");
  return z.NEVER;
}
