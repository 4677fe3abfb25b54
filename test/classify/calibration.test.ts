import { describe, expect, test } from "vitest";
import {
  expectedCalibrationError,
  fitTemperature,
  type Labelled,
  negativeLogLikelihood,
} from "../../src/classify/calibration.ts";

/** A model that is right in `right` of 100 answers, and says so with logits that are `heat` times too large. */
function overconfident(right: number, heat: number): Labelled[] {
  const margin = Math.log(right / (100 - right)) * heat;
  return Array.from({ length: 100 }, (_, i) => ({ logits: Float32Array.of(margin, 0), label: i < right ? 0 : 1 }));
}

describe("the fitted temperature undoes what made the model too sure, or not sure enough", () => {
  test.each([
    [80, 1],
    [80, 3],
    [95, 0.4],
    [60, 10],
  ])("right in %d of 100, logits %d times too large", (right, heat) => {
    const images = overconfident(right, heat);
    const temperature = fitTemperature(images);
    expect(temperature).toBeCloseTo(heat, 2);
    expect(expectedCalibrationError(images, temperature)).toBeLessThan(0.001);
    expect(negativeLogLikelihood(images, temperature)).toBeLessThanOrEqual(negativeLogLikelihood(images, 1) + 1e-9);
  });
});

test("the calibration error is the gap between confidence and accuracy", () => {
  const images = overconfident(80, 3);
  const confidence = 1 / (1 + (20 / 80) ** 3);
  expect(expectedCalibrationError(images, 1)).toBeCloseTo(confidence - 0.8, 4);
});

test("an image whose true class has probability 0 does not make the likelihood infinite", () => {
  expect(negativeLogLikelihood([{ logits: Float32Array.of(1e30, 0), label: 1 }], 1)).toBeLessThan(1000);
});

test("no images, no temperature", () => {
  expect(() => fitTemperature([])).toThrow("no images");
});
