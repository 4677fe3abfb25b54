import { describe, expect, test } from "vitest";
import { runCascade, type Stage, simulateCascade } from "../../src/classify/cascade.ts";

/** Logits of two classes with this probability for the first. */
const sure = (probability: number) => ({ logits: Float32Array.of(Math.log(probability / (1 - probability)), 0) });

function stages(threshold: number, ...confidences: number[]) {
  const asked: string[] = [];
  const list = confidences.map(
    (confidence, i): Stage<ReturnType<typeof sure>> => ({
      name: `stage-${i}`,
      temperature: 1,
      threshold,
      run: async () => {
        asked.push(`stage-${i}`);
        return sure(confidence);
      },
    }),
  );
  return { list, asked };
}

describe("stages run until one is sure", () => {
  test.each<[string, number[], number, number]>([
    ["the first is sure", [0.9, 0.99], 0.8, 1],
    ["the second is", [0.7, 0.9, 0.99], 0.8, 2],
    ["none is: the last decides", [0.6, 0.7, 0.75], 0.8, 3],
    ["just below the threshold", [0.7999, 0.9], 0.8, 2],
    ["just above", [0.8001, 0.9], 0.8, 1],
    ["threshold 0 never goes on", [0.51, 0.9], 0, 1],
    ["a threshold above 1 always does", [0.999, 0.999], 1.01, 2],
  ])("%s", async (_, confidences, threshold, ran) => {
    const { list, asked } = stages(threshold, ...confidences);
    const outcomes = await runCascade(list);
    expect(asked).toHaveLength(ran);
    expect(outcomes.map(({ name }) => name)).toEqual(asked);
    expect(outcomes.at(-1)?.confidence).toBeCloseTo(confidences[ran - 1] ?? Number.NaN, 5);
  });

  test("each stage's own temperature counts", async () => {
    const { list, asked } = stages(0.8, 0.9, 0.9);
    await runCascade(list.map((stage) => ({ ...stage, temperature: 3 })));
    expect(asked).toEqual(["stage-0", "stage-1"]);
  });

  test("each stage's own threshold counts", async () => {
    const { list, asked } = stages(0.8, 0.9, 0.9, 0.9);
    await runCascade(list.map((stage, i) => ({ ...stage, threshold: i === 0 ? 0.95 : 0.85 })));
    expect(asked).toEqual(["stage-0", "stage-1"]);
  });

  test("a stage that fails is the cascade's failure: a less sure answer is not passed off as the wanted one", async () => {
    const failing = { name: "b", temperature: 1, threshold: 0.9, run: () => Promise.reject(new Error("down")) };
    await expect(runCascade([...stages(0.9, 0.5).list, failing])).rejects.toThrow("down");
  });
});

test("a simulated cascade counts what each image would have cost", () => {
  const record = (confidence: number, correct: boolean, scale: number) => ({
    confidence,
    correct,
    bytes: 100 * scale,
    flops: 10 * scale,
  });
  const images = [
    [record(0.9, true, 1), record(0.9, true, 4)],
    [record(0.5, false, 1), record(0.6, true, 4)],
    [record(0.5, true, 1), record(0.9, false, 4)],
    [record(0.95, false, 1), record(0.9, true, 4)],
  ];
  expect(simulateCascade(images, [0.8])).toEqual({
    thresholds: [0.8],
    accuracy: 0.5,
    meanBytes: 300,
    meanFlops: 30,
    decided: [0.5, 0.5],
  });
  expect(simulateCascade(images, [0])).toMatchObject({ accuracy: 0.5, meanBytes: 100, decided: [1, 0] });
  expect(simulateCascade(images, [2])).toMatchObject({ accuracy: 0.75, meanBytes: 500, decided: [0, 1] });
});
