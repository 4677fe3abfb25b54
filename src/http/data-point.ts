/** The Analytics Engine data point of a request. A new column is one new row; columns are never reordered. */
import { type Observation, STEPS, type StepName } from "../observation.ts";

/** The part of the binding that is used. */
export interface Metrics {
  writeDataPoint(point: { indexes: string[]; blobs: string[]; doubles: number[] }): void;
}

interface Facts {
  readonly route: string;
  readonly method: string;
  readonly response: Response;
  readonly observation: Observation;
}

interface Column<T> {
  readonly name: string;
  readonly meaning: string;
  readonly value: (facts: Facts) => T;
}

const step = (name: StepName): Column<number> => ({
  name: `${name}_ms`,
  meaning: `Milliseconds of the step ${name}; 0 if there was none or the clock cannot tell.`,
  value: ({ observation }) => observation.millisecondsOf(name),
});

/** `blob1`, `blob2`, ... */
export const BLOBS: readonly Column<string>[] = [
  { name: "method", meaning: "GET, HEAD or POST.", value: ({ method }) => method },
  {
    name: "tier",
    meaning: "Where the thumbnail came from: edge, r2, computed, or nothing.",
    value: ({ observation }) => observation.tier ?? "",
  },
  {
    name: "problem",
    meaning: "The type of the problem, or nothing.",
    value: ({ observation }) => observation.problem ?? "",
  },
  {
    name: "content_type",
    meaning: "Of the answer.",
    value: ({ response }) => response.headers.get("content-type") ?? "",
  },
];

/** `double1`, `double2`, ... */
export const DOUBLES: readonly Column<number>[] = [
  { name: "status", meaning: "Of the answer.", value: ({ response }) => response.status },
  {
    name: "bytes_in",
    meaning: "Bytes of the original, if it was read.",
    value: ({ observation }) => observation.bytesIn,
  },
  {
    name: "bytes_out",
    meaning: "Bytes of the answer; 0 if they are streamed.",
    value: ({ response }) => Number(response.headers.get("content-length")),
  },
  { name: "total_ms", meaning: "Milliseconds of the whole request.", value: ({ observation }) => observation.total() },
  ...STEPS.map(step),
];

/** Writes it. Metrics that fail are logged and fail nothing else. */
export function writeDataPoint(metrics: Metrics | undefined, facts: Facts): void {
  if (!metrics) return;
  try {
    metrics.writeDataPoint({
      indexes: [facts.route],
      blobs: BLOBS.map(({ value }) => value(facts)),
      doubles: DOUBLES.map(({ value }) => value(facts)),
    });
  } catch (error) {
    console.warn({ event: "metrics-failed", cause: String(error) });
  }
}
