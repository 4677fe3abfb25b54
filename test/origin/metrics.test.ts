import { expect, test } from "vitest";
import { renderMetrics } from "../../src/origin/metrics.ts";
import { emptyStatistics, recordBatch, recordFailure } from "../../src/origin/statistics.ts";

function twoBatches() {
  const statistics = emptyStatistics("m", "1");
  const record = { model: "m", inputMs: 1, inferMs: 10, outputMs: 2 };
  recordBatch(statistics, { ...record, rows: 3, queuedMs: [4, 5] }, 1000);
  recordBatch(statistics, { ...record, rows: 1, queuedMs: [6] }, 2000);
  recordFailure(statistics, "REJECTED", 7);
  return statistics;
}

test("a batch counts once, its rows as inferences, its time for every request that waited for it", () => {
  const statistics = twoBatches();
  expect(statistics).toMatchObject({ last_inference: 2000, inference_count: 4, execution_count: 2 });
  expect(statistics.inference_stats).toEqual({
    success: { count: 3, ns: 54e6 },
    fail: { count: 1, ns: 7e6 },
    queue: { count: 3, ns: 15e6 },
    compute_input: { count: 3, ns: 3e6 },
    compute_infer: { count: 3, ns: 30e6 },
    compute_output: { count: 3, ns: 6e6 },
  });
  expect(statistics.batch_stats.map(({ batch_size, compute_infer }) => [batch_size, compute_infer])).toEqual([
    [1, { count: 1, ns: 10e6 }],
    [3, { count: 1, ns: 10e6 }],
  ]);
});

test("metrics are Prometheus text under Triton's names", () => {
  const lines = renderMetrics([twoBatches()], () => 5).split("\n");
  for (const line of lines)
    expect(line).toMatch(/^$|^# (HELP \w+ .+|TYPE \w+ (counter|gauge))$|^\w+\{(\w+="[^"]*",?)+\} \d+$/);
  expect(lines).toContain('nv_inference_request_success{model="m",version="1"} 3');
  expect(lines).toContain('nv_inference_request_failure{model="m",version="1",reason="REJECTED"} 1');
  expect(lines).toContain('nv_inference_request_failure{model="m",version="1",reason="OTHER"} 0');
  expect(lines).toContain('nv_inference_count{model="m",version="1"} 4');
  expect(lines).toContain('nv_inference_exec_count{model="m",version="1"} 2');
  expect(lines).toContain('nv_inference_queue_duration_us{model="m",version="1"} 15000');
  expect(lines).toContain('nv_inference_pending_request_count{model="m",version="1"} 5');
});
