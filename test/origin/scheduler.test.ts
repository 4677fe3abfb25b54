import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/oip/datatypes.ts";
import { type BatchRecord, createScheduler, type Lane, type Runner } from "../../src/origin/scheduler.ts";

const LANE: Lane = { model: "m", maxBatchSize: 4, preferredBatchSize: 4, delayMs: 0 };
const PATIENT = { timeoutMs: 10_000, isGone: () => false };
const row = (...values: number[]): Tensor[] => [
  { name: "x", datatype: "UINT8", shape: [values.length, 1], bytes: Uint8Array.from(values) },
];
const valuesOf = (outputs: Tensor[]) => outputs.flatMap(({ bytes }) => [...bytes]);

/** An instance that gives its input back when told to, and what it was given. */
function heldInstance() {
  const batches: { values: number[]; release: (error?: Error) => void }[] = [];
  const run: Run = (_, inputs) =>
    new Promise((resolve, reject) => {
      const release = (error?: Error) => (error ? reject(error) : resolve({ outputs: inputs, inferMs: 1 }));
      batches.push({ values: inputs.flatMap(({ bytes }) => [...bytes]), release });
    });
  return { batches, run };
}

type Run = Runner["run"];

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

const always = (run: Run): Runner => ({ run, ready: async () => {} });

function scheduler(run: Run | Run[], lane: Partial<Lane> = {}, maxQueue = 100) {
  const records: BatchRecord[] = [];
  const lanes = [
    { ...LANE, ...lane },
    { ...LANE, model: "other" },
  ];
  const created = createScheduler(lanes, [run].flat().map(always), maxQueue, (record) => records.push(record));
  return { ...created, records };
}

describe("batches form of what waits", () => {
  test("requests that come together share one, and each gets its own rows", async () => {
    const { batches, run } = heldInstance();
    const { infer, records } = scheduler(run);
    const answers = [infer("m", row(1), 1, PATIENT), infer("m", row(2, 3), 2, PATIENT), infer("m", row(4), 1, PATIENT)];
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([[1, 2, 3, 4]]);
    batches[0]?.release();
    expect((await Promise.all(answers)).map(valuesOf)).toEqual([[1], [2, 3], [4]]);
    expect(records).toMatchObject([
      { model: "m", rows: 4, queuedMs: [expect.any(Number), expect.any(Number), expect.any(Number)] },
    ]);
  });

  test("none exceeds the maximum, and the order is kept", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler(run);
    for (const rows of [[1, 2], [3, 4, 5], [6]]) void infer("m", row(...rows), rows.length, PATIENT);
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([[1, 2]]);
    batches[0]?.release();
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([
      [1, 2],
      [3, 4, 5, 6],
    ]);
  });

  test("while every instance is busy requests gather; a second instance takes the next batch", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler([run, run]);
    for (let i = 0; i < 12; i++) {
      void infer("m", row(i), 1, PATIENT);
      if (i < 2) await turn();
    }
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([[0], [1]]);
    batches[1]?.release();
    await turn();
    expect(batches[2]?.values).toEqual([2, 3, 4, 5]);
  });

  test("models do not share batches, and the one that waited longest goes first", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler(run);
    void infer("m", row(1), 1, PATIENT);
    await turn();
    void infer("other", row(2), 1, PATIENT);
    await turn();
    void infer("m", row(3), 1, PATIENT);
    batches[0]?.release();
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([[1], [2]]);
  });

  test("a request larger than what is gathered runs alone", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler(run);
    void infer("m", row(1, 2, 3, 4, 5), 5, PATIENT);
    void infer("m", row(6), 1, PATIENT);
    await turn();
    batches[0]?.release();
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([[1, 2, 3, 4, 5], [6]]);
  });

  test("requests of different shapes do not share a batch", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler(run);
    void infer("m", row(1), 1, PATIENT);
    void infer("m", [{ name: "x", datatype: "UINT8", shape: [1, 2], bytes: Uint8Array.of(2, 3) }], 1, PATIENT);
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([[1]]);
  });
});

describe("a queue delay", () => {
  test("holds an incomplete batch back until it is over", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler(run, { delayMs: 60 });
    const start = performance.now();
    void infer("m", row(1), 1, PATIENT);
    await turn();
    void infer("m", row(2), 1, PATIENT);
    expect(batches).toEqual([]);
    while (batches.length === 0) await turn();
    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
    expect(batches[0]?.values).toEqual([1, 2]);
  });

  test("ends early when the preferred size is there", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler(run, { delayMs: 60_000, preferredBatchSize: 2 });
    void infer("m", row(1), 1, PATIENT);
    await turn();
    expect(batches).toEqual([]);
    void infer("m", row(2), 1, PATIENT);
    await turn();
    expect(batches[0]?.values).toEqual([1, 2]);
  });
});

describe("what cannot be served is refused, and the rest goes on", () => {
  test("beyond the longest queue: 503, both sides of the limit", async () => {
    const { batches, run } = heldInstance();
    const { infer, pending } = scheduler(run, {}, 2);
    void infer("m", row(1), 1, PATIENT);
    await turn();
    const queued = [infer("m", row(2), 1, PATIENT), infer("m", row(3), 1, PATIENT)];
    expect(pending("m")).toBe(2);
    expect(() => infer("m", row(4), 1, PATIENT)).toThrow("Exceeds maximum queue size");
    batches[0]?.release();
    await turn();
    batches[1]?.release();
    expect((await Promise.all(queued)).map(valuesOf)).toEqual([[2], [3]]);
  });

  test("a request whose time is over leaves the queue with 503", async () => {
    const { batches, run } = heldInstance();
    const { infer, pending } = scheduler(run);
    void infer("m", row(1), 1, PATIENT);
    await turn();
    await expect(infer("m", row(2), 1, { ...PATIENT, timeoutMs: 20 })).rejects.toMatchObject({ status: 503 });
    expect(pending("m")).toBe(0);
    batches[0]?.release();
    await turn();
    expect(batches.length).toBe(1);
  });

  test("a request whose client went away is not run", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler(run);
    void infer("m", row(1), 1, PATIENT);
    await turn();
    const gone = expect(infer("m", row(2), 1, { ...PATIENT, isGone: () => true })).rejects.toMatchObject({
      status: 499,
    });
    void infer("m", row(3), 1, PATIENT);
    batches[0]?.release();
    await gone;
    await turn();
    expect(batches[1]?.values).toEqual([3]);
  });

  test("a batch that fails answers 500 without the model's own words, and the instance is used again", async () => {
    const { batches, run } = heldInstance();
    const { infer } = scheduler(run);
    const failed = expect(infer("m", row(1), 1, PATIENT)).rejects.toMatchObject({
      status: 500,
      message: "model 'm' failed",
    });
    await turn();
    batches[0]?.release(new Error("secret path"));
    await failed;
    const next = infer("m", row(2), 1, PATIENT);
    await turn();
    batches[1]?.release();
    expect(valuesOf(await next)).toEqual([2]);
  });

  test("an output with other rows than the batch is an error, not somebody else's answer", async () => {
    const { infer } = scheduler(async () => ({ outputs: row(1), inferMs: 1 }));
    const answers = [infer("m", row(1), 1, PATIENT), infer("m", row(2), 1, PATIENT)];
    for (const answer of answers) await expect(answer).rejects.toMatchObject({ status: 500 });
  });
});
