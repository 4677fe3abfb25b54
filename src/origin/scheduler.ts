/**
 * Dynamic batching: requests for one model wait in its queue and run together when an instance is free.
 *
 * While every instance is busy the queue grows by itself, so batches form under load without any waiting; a queue delay
 * only adds to that, for devices where a larger batch costs no more (Triton's dynamic batcher works alike).
 */
import type { Tensor } from "../oip/datatypes.ts";
import { ProtocolError } from "../oip/error.ts";
import { joinInputs, splitOutputs } from "./batch.ts";
import type { Instance } from "./instance.ts";

export interface Lane {
  readonly model: string;
  /** Rows that requests are gathered to. A request that has more runs alone. */
  readonly maxBatchSize: number;
  /** An incomplete batch of fewer rows waits up to `delayMs` for more. */
  readonly preferredBatchSize: number;
  readonly delayMs: number;
}

export interface BatchRecord {
  readonly model: string;
  readonly rows: number;
  /** How long each request waited. */
  readonly queuedMs: readonly number[];
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}

export interface Scheduler {
  /**
   * @param rows batch rows of the inputs, at most the model's maximum.
   * @param limits `isGone` says when its turn comes whether the client still waits.
   * @throws ProtocolError 503 if the queue is full or the time is over, 499 if the client went, 500 if the model fails.
   */
  infer(
    model: string,
    inputs: readonly Tensor[],
    rows: number,
    limits: { timeoutMs: number; isGone: () => boolean },
  ): Promise<Tensor[]>;
  /** Requests waiting, by model. */
  pending(model: string): number;
}

interface Waiting {
  readonly inputs: readonly Tensor[];
  readonly rows: number;
  /** Only requests of equal shapes share a batch. */
  readonly shapes: string;
  readonly since: number;
  readonly isGone: () => boolean;
  readonly resolve: (outputs: Tensor[]) => void;
  readonly reject: (error: unknown) => void;
}

/** What runs batches, one at a time. */
export type Runner = Pick<Instance, "run" | "ready">;

export function createScheduler(
  lanes: readonly Lane[],
  instances: readonly Runner[],
  maxQueue: number,
  record: (batch: BatchRecord) => void,
): Scheduler {
  const queues = new Map(lanes.map((lane) => [lane.model, { lane, waiting: new Set<Waiting>() }]));
  const idle = [...instances];
  let planned = false;
  let timer: NodeJS.Timeout | undefined;

  /** Once the sockets that are ready have been read: requests that came together then share a batch. */
  function plan(): void {
    if (planned) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      dispatch();
    });
  }

  function dispatch(): void {
    clearTimeout(timer);
    const now = performance.now();
    for (;;) {
      const due = [...queues.values()].filter(({ waiting }) => waiting.size > 0);
      if (due.length === 0 || idle.length === 0) return;
      const [next] = due.map((queue) => ({ ...queue, dueAt: dueAt(queue, now) })).sort((a, b) => a.dueAt - b.dueAt);
      if (!next) return;
      if (next.dueAt > now) {
        timer = setTimeout(dispatch, next.dueAt - now);
        return;
      }
      const batch = takeBatch(next.lane, next.waiting);
      if (batch.length === 0) continue;
      const instance = idle.pop();
      if (instance) void runBatch(next.lane.model, batch, instance);
    }
  }

  async function runBatch(model: string, batch: readonly Waiting[], instance: Runner): Promise<void> {
    const start = performance.now();
    try {
      const inputs = joinInputs(batch.map((request) => request.inputs));
      const joined = performance.now();
      const { outputs, inferMs } = await instance.run(model, inputs);
      const ran = performance.now();
      const rows = batch.map((request) => request.rows);
      const shares = splitOutputs(outputs, rows);
      record({
        model,
        rows: rows.reduce((sum, count) => sum + count, 0),
        queuedMs: batch.map(({ since }) => start - since),
        inputMs: joined - start,
        inferMs,
        outputMs: performance.now() - ran,
      });
      for (const [i, { resolve }] of batch.entries()) resolve(shares[i] ?? []);
    } catch (cause) {
      const error = new ProtocolError(500, `model '${model}' failed`, cause);
      for (const { reject } of batch) reject(error);
      // Until then it would only keep a batch from the others, and from its time limit.
      await instance.ready();
    } finally {
      idle.push(instance);
      dispatch();
    }
  }

  return {
    infer(model, inputs, rows, { timeoutMs, isGone }) {
      const waiting = queues.get(model)?.waiting;
      if (!waiting) throw new Error(`There is no model ${model}.`);
      if (waiting.size >= maxQueue) throw new ProtocolError(503, `Exceeds maximum queue size of model '${model}'`);
      return new Promise((resolve, reject) => {
        const timeout = setTimeout(() => {
          if (waiting.delete(request)) reject(new ProtocolError(503, "Request timeout expired"));
        }, timeoutMs);
        const settle = (act: () => void) => {
          clearTimeout(timeout);
          act();
        };
        const request: Waiting = {
          inputs,
          rows,
          shapes: inputs.map(({ name, shape: [, ...dims] }) => `${name}:${dims}`).join(),
          since: performance.now(),
          isGone,
          resolve: (outputs) => settle(() => resolve(outputs)),
          reject: (error) => settle(() => reject(error)),
        };
        waiting.add(request);
        plan();
      });
    },
    pending: (model) => queues.get(model)?.waiting.size ?? 0,
  };
}

/** When a queue's batch is to run: at once if it is complete, else when its oldest request has waited long enough. */
function dueAt({ lane, waiting }: { lane: Lane; waiting: ReadonlySet<Waiting> }, now: number): number {
  const [oldest] = waiting;
  if (!oldest) return Number.POSITIVE_INFINITY;
  const complete = lane.delayMs > 0 && rowsOf(waiting, lane.preferredBatchSize) >= lane.preferredBatchSize;
  return complete ? Math.min(now, oldest.since) : oldest.since + lane.delayMs;
}

/** Rows waiting, counted no further than `enough`. */
function rowsOf(waiting: ReadonlySet<Waiting>, enough: number): number {
  let rows = 0;
  for (const request of waiting) {
    rows += request.rows;
    if (rows >= enough) break;
  }
  return rows;
}

/** Removes from the queue what runs next: the oldest request, and in order all that fit beside it. */
function takeBatch({ maxBatchSize }: Lane, waiting: Set<Waiting>): Waiting[] {
  const batch: Waiting[] = [];
  let rows = 0;
  for (const request of waiting) {
    if (request.isGone()) {
      waiting.delete(request);
      request.reject(new ProtocolError(499, "The client closed the request"));
      continue;
    }
    const [first] = batch;
    if (first && (rows + request.rows > maxBatchSize || request.shapes !== first.shapes)) break;
    rows += request.rows;
    batch.push(request);
    waiting.delete(request);
  }
  return batch;
}
