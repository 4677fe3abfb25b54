/**
 * The counters in Prometheus' text format, under Triton's names, so that dashboards made for Triton show them.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md
 */
import { FAILURES, type ModelStatistics } from "./statistics.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** Samples of one model: further labels, and the value. */
  readonly samples: (statistics: ModelStatistics, pending: number) => readonly (readonly [string, number])[];
}

const counter = (name: string, help: string, value: (statistics: ModelStatistics) => number): Metric => ({
  name,
  help,
  type: "counter",
  samples: (statistics) => [["", value(statistics)]],
});

const microseconds = (ns: number) => Math.round(ns / 1000);

const METRICS: readonly Metric[] = [
  counter("nv_inference_request_success", "Successful inference requests", (s) => s.inference_stats.success.count),
  {
    name: "nv_inference_request_failure",
    help: "Failed inference requests, by reason",
    type: "counter",
    samples: ({ failures }) => FAILURES.map((reason) => [`,reason="${reason}"`, failures[reason]]),
  },
  counter("nv_inference_count", "Inferences performed (a batch of n counts n)", (s) => s.inference_count),
  counter("nv_inference_exec_count", "Batches executed", (s) => s.execution_count),
  counter("nv_inference_request_duration_us", "Sum of request durations in microseconds", (s) =>
    microseconds(s.inference_stats.success.ns),
  ),
  counter("nv_inference_queue_duration_us", "Sum of queue durations in microseconds", (s) =>
    microseconds(s.inference_stats.queue.ns),
  ),
  counter("nv_inference_compute_input_duration_us", "Sum of input preparation in microseconds", (s) =>
    microseconds(s.inference_stats.compute_input.ns),
  ),
  counter("nv_inference_compute_infer_duration_us", "Sum of model executions in microseconds", (s) =>
    microseconds(s.inference_stats.compute_infer.ns),
  ),
  counter("nv_inference_compute_output_duration_us", "Sum of output preparation in microseconds", (s) =>
    microseconds(s.inference_stats.compute_output.ns),
  ),
  {
    name: "nv_inference_pending_request_count",
    help: "Requests waiting for execution",
    type: "gauge",
    samples: (_, pending) => [["", pending]],
  },
];

/** @param pending the number of requests of a model that wait now. */
export function renderMetrics(models: readonly ModelStatistics[], pending: (model: string) => number): string {
  return METRICS.flatMap(({ name, help, type, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...models.flatMap((statistics) =>
      samples(statistics, pending(statistics.name)).map(
        ([labels, value]) => `${name}{model="${statistics.name}",version="${statistics.version}"${labels}} ${value}`,
      ),
    ),
    "",
  ]).join("\n");
}
