import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cli, inProcess } from "./run.ts";

// Each run of the command loads ONNX Runtime anew, and every student.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "evaluate-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(className: string, photo: string): number {
  mkdirSync(join(folder, className), { recursive: true });
  copyFileSync(`examples/photos/${photo}.jpg`, join(folder, className, `${photo}.jpg`));
  return statSync(`examples/photos/${photo}.jpg`).size;
}

test("counts what each student gets right, and the bytes of photos and thumbnails", async () => {
  const sizes = [put("church", "church"), put("French_horn", "french-horn"), put("golf-ball", "parachute")];
  const { code, stdout } = await cli(["evaluate", folder, "--json"]);
  expect(code).toBe(0);
  const { photos, classes, bytesPerPhoto, results } = JSON.parse(stdout);
  expect([photos, classes]).toEqual([3, 3]);
  expect(bytesPerPhoto).toBeCloseTo(sizes.reduce((a, b) => a + b) / 3);
  expect(results.map(({ model, format }: { model: string; format: string }) => `${model} ${format}`)).toEqual([
    "student-56 png",
    "student-56 webp",
    "student-56-low-stride png",
    "student-56-low-stride webp",
    "student-56-thousand png",
    "student-56-thousand webp",
    "student-56-full png",
    "student-56-full webp",
    "restored-56 png",
    "restored-56 webp",
    "student-112 png",
    "student-112 webp",
    "student-112-full png",
    "student-112-full webp",
    "restored-112 png",
    "restored-112 webp",
  ]);
  // The parachute lies among the golf balls.
  expect(results[0]).toMatchObject({ correct: 2, accuracy: 2 / 3 });
  expect(results[10]).toMatchObject({ correct: 2, accuracy: 2 / 3 });
  expect(results[1].bytesPerThumbnail).toBeLessThan(results[0].bytesPerThumbnail / 4);
});

test("prints a table for people", async () => {
  put("church", "church");
  const { stdout } = await cli(["evaluate", folder]);
  expect(stdout).toMatch(
    /^1 photos of 1 classes, \d+ bytes each\.\n\nmodel .*top-1.*bytes.*saved\nstudent-56 +png +100\.00 %/,
  );
});

test("says which classes the models know", async () => {
  put("cathedral", "church");
  const { code, stderr } = await inProcess(["evaluate", folder]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/do not know the class cathedral\. They know 1000 others; see models/),
  ]);
});
