/**
 * Counters by model, in the form of Triton's statistics extension.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 */
import type { BatchRecord } from "./scheduler.ts";

/** Why a request failed, in the words of Triton's `nv_inference_request_failure`. */
export const FAILURES = ["REJECTED", "CANCELED", "BACKEND", "OTHER"] as const;
export type Failure = (typeof FAILURES)[number];

/** `ns` is the sum over `count`. */
interface Duration {
  count: number;
  ns: number;
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since the epoch; 0 before the first. */
  last_inference: number;
  /** Rows inferred. */
  inference_count: number;
  /** Batches run. */
  execution_count: number;
  readonly inference_stats: Record<
    "success" | "fail" | "queue" | "compute_input" | "compute_infer" | "compute_output",
    Duration
  >;
  readonly batch_stats: BatchStatistics[];
  readonly failures: Record<Failure, number>;
}

interface BatchStatistics {
  readonly batch_size: number;
  readonly compute_input: Duration;
  readonly compute_infer: Duration;
  readonly compute_output: Duration;
}

const zero = (): Duration => ({ count: 0, ns: 0 });

export function emptyStatistics(name: string, version: string): ModelStatistics {
  return {
    name,
    version,
    last_inference: 0,
    inference_count: 0,
    execution_count: 0,
    inference_stats: {
      success: zero(),
      fail: zero(),
      queue: zero(),
      compute_input: zero(),
      compute_infer: zero(),
      compute_output: zero(),
    },
    batch_stats: [],
    failures: { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 },
  };
}

/** Adds one batch. A request's share of the computing is the whole batch's, as it waited for all of it (so does Triton). */
export function recordBatch(statistics: ModelStatistics, batch: BatchRecord, now: number): void {
  const { rows, queuedMs, inputMs, inferMs, outputMs } = batch;
  statistics.last_inference = now;
  statistics.inference_count += rows;
  statistics.execution_count += 1;
  const { success, queue, compute_input, compute_infer, compute_output } = statistics.inference_stats;
  for (const waited of queuedMs) {
    add(queue, waited);
    add(compute_input, inputMs);
    add(compute_infer, inferMs);
    add(compute_output, outputMs);
    add(success, waited + inputMs + inferMs + outputMs);
  }
  const bySize = batchStatistics(statistics, rows);
  add(bySize.compute_input, inputMs);
  add(bySize.compute_infer, inferMs);
  add(bySize.compute_output, outputMs);
}

/** @param ms from the request's arrival to its error. */
export function recordFailure(statistics: ModelStatistics, failure: Failure, ms: number): void {
  add(statistics.inference_stats.fail, ms);
  statistics.failures[failure] += 1;
}

function batchStatistics({ batch_stats }: ModelStatistics, size: number): BatchStatistics {
  const known = batch_stats.find(({ batch_size }) => batch_size === size);
  if (known) return known;
  const added = { batch_size: size, compute_input: zero(), compute_infer: zero(), compute_output: zero() };
  batch_stats.push(added);
  batch_stats.sort((a, b) => a.batch_size - b.batch_size);
  return added;
}

function add(duration: Duration, ms: number): void {
  duration.count += 1;
  duration.ns += Math.round(ms * 1e6);
}
