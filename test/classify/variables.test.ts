import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createStudent } from "../../src/classify/student.ts";
import { classifierConfig, classifyVariables } from "../../src/classify/variables.ts";
import { STUDENT_CARD } from "./cards.ts";

const parse = (variables: Record<string, string>) => classifierConfig(z.object(classifyVariables).parse(variables));

describe("the variables about origins", () => {
  test("without any there is no origin", () => {
    expect(parse({})).toMatchObject({ origins: [], timeoutMs: 10_000, retries: 2, maxBatch: 64 });
  });

  test("several addresses, in order, each with the authorization", () => {
    const { origins } = parse({
      ORIGINS: "https://a.example.com/ http://10.0.0.1:8000/base",
      ORIGIN_AUTHORIZATION: "Bearer x",
    });
    expect(origins).toEqual([
      { url: "https://a.example.com", authorization: "Bearer x" },
      { url: "http://10.0.0.1:8000/base", authorization: "Bearer x" },
    ]);
  });

  test.each([
    ["ORIGINS", "gpu.example.com"],
    ["ORIGINS", "ftp://gpu.example.com"],
    ["ORIGINS", "https://user:password@gpu.example.com"],
    ["ORIGINS", "https://gpu.example.com/?a=b"],
    ["ORIGIN_AUTHORIZATION", "Bearer x\r\nHost: y"],
    ["ORIGIN_TIMEOUT_MS", "99"],
    ["ORIGIN_TIMEOUT_MS", "60001"],
    ["ORIGIN_RETRIES", "6"],
    ["ORIGIN_MAX_BATCH", "0"],
  ])("%s=%j is refused", (name, value) => {
    expect(() => parse({ [name]: value })).toThrow(name);
  });

  test("an address with a password is refused without repeating it", () => {
    expect(() => parse({ ORIGINS: "https://user:hunter2@gpu.example.com" })).toThrow(/^(?!.*hunter2)/s);
  });
});

describe("a student of the bundle", () => {
  const labels = `${Array.from({ length: 10 }, (_, i) => `label ${i}`).join("\n")}\n`;
  const calibration = (sha256: string) => ({
    schema: 1 as const,
    models: {
      "student-56": { temperature: 1.5, threshold: 0.8, sha256, images: 100, ece: { before: 0.1, after: 0.01 } },
    },
    how: "test",
  });

  test("has its labels in class order, and no temperature of its own", () => {
    expect(createStudent(STUDENT_CARD, labels)).toMatchObject({
      temperature: 1,
      labels: { 0: "label 0", 9: "label 9", length: 10 },
    });
  });

  test("takes the temperature that was fitted to its very file, and no other", () => {
    expect(createStudent(STUDENT_CARD, labels, calibration(STUDENT_CARD.sha256))).toMatchObject({
      temperature: 1.5,
      threshold: 0.8,
    });
    expect(createStudent(STUDENT_CARD, labels, calibration("0".repeat(64)))).toMatchObject({
      temperature: 1,
      threshold: 0.9,
    });
  });

  test.each([
    ["a label too few", STUDENT_CARD, "a\nb\n"],
    ["another role", { ...STUDENT_CARD, role: "downscaler" as const }, labels],
    ["no downscaler", { ...STUDENT_CARD, downscaler: null }, labels],
  ])("with %s is refused at start", (_, card, text) => {
    expect(() => createStudent(card, text)).toThrow(/Expected a student/);
  });
});
