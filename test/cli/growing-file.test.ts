/** A file of many records after writes that failed for real, and after runs that were stopped. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "growing-"));
  file = join(folder, "set.bin");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Photos = readonly (readonly [photo: string, bytes: number])[];

/** @param kibibytes that a file may have: the write that crosses it is cut short, and those beyond it fail. */
function grow(ending: "complete" | "stopped", photos: Photos, kibibytes: number | "unlimited" = "unlimited") {
  const script = `ulimit -f ${kibibytes} && exec "$0" "$@"`;
  const args = ["-c", script, process.execPath, "test/cli/grow.ts", file, ending, JSON.stringify(photos)];
  return JSON.parse(execFileSync("bash", args, { encoding: "utf8" }));
}

/** The records, without their begin and end. */
function recordsOf(photos: Photos): string {
  return photos.map(([photo, bytes]) => Buffer.alloc(bytes, photo).toString()).join("");
}

const expectWhole = (photos: Photos) => {
  expect(readFileSync(file, "utf8")).toBe(`of ${photos.length}:${recordsOf(photos)}.`);
  expect(readdirSync(folder)).toEqual(["set.bin"]);
};

test("what a record left that did not fit is written over by the next, and cut off at the end", () => {
  const photos: Photos = [
    ["a", 600],
    ["too large", 600],
    ["b", 100],
  ];
  expect(grow("complete", photos, 1)).toEqual({ there: [], failed: ["too large"] });
  expectWhole([
    ["a", 600],
    ["b", 100],
  ]);
});

test("a record whose line of the journal did not fit is not there, and those after it are", () => {
  const long = (letter: string) => letter.repeat(300);
  const first: Photos = ["a", "b", "c", "d"].map((letter) => [long(letter), 10]);
  expect(grow("stopped", [...first, ["short", 10]], 1)).toEqual({ there: [], failed: [long("d")] });
  expect(statSync(`${file}.journal`).size).toBe(1024);

  const [a, b, c, d] = first.map(([photo]) => photo);
  expect(grow("stopped", [...first, ["short", 10]])).toEqual({ there: [a, b, c, "short"], failed: [] });
  expect(grow("complete", first)).toEqual({ there: [a, b, c, d], failed: [] });
  expectWhole([...first.slice(0, 3), ["short", 10], ...first.slice(3)]);
});

test("what a run left that was stopped in a record and in a line is gone, for every run after it", () => {
  expect(grow("stopped", [["a", 600]])).toEqual({ there: [], failed: [] });
  appendFileSync(`${file}.part`, "half a record");
  appendFileSync(`${file}.journal`, "1205 half a li");

  expect(grow("stopped", [["b", 5]])).toEqual({ there: [], failed: [] });
  const photos: Photos = [
    ["a", 600],
    ["b", 5],
    ["c", 1],
  ];
  expect(grow("complete", photos)).toEqual({ there: ["a", "b"], failed: [] });
  expectWhole(photos);
});

test.each([
  { lost: 0, there: ["a", "b"] },
  { lost: 1, there: ["a"] },
  { lost: 5, there: ["a"] },
  { lost: 6, there: [] },
])("of a part that lost $lost bytes since its journal was written, $there are there", ({ lost, there }) => {
  const photos: Photos = [
    ["a", 600],
    ["b", 5],
  ];
  grow("stopped", photos);
  truncateSync(`${file}.part`, statSync(`${file}.part`).size - lost);
  expect(grow("complete", photos)).toEqual({ there, failed: [] });
  expectWhole(photos);
});

test("a line of the journal whose record was lost leaves nothing behind the lines after it", () => {
  // "606 c" over "610 b 7 d" would leave "7 d".
  grow("stopped", [
    ["a", 600],
    ["b 7 d", 5],
  ]);
  truncateSync(`${file}.part`, statSync(`${file}.part`).size - 1);
  grow("stopped", [["c", 1]]);
  const photos: Photos = [
    ["a", 600],
    ["c", 1],
    ["d", 2],
  ];
  expect(grow("complete", photos)).toEqual({ there: ["a", "c"], failed: [] });
  expectWhole(photos);
});

test("a finished file is neither begun anew nor added to", () => {
  const photos: Photos = [["a", 3]];
  grow("complete", photos);
  expect(() => grow("complete", [["b", 5]])).toThrow(/set\.bin is finished already\. .*--force/);
  expectWhole(photos);
});

test("photos whose names have line breaks, quotes and spaces are there in the next run", () => {
  const odd = ["two\nlines", '"quoted"', " a  b ", "\\n", "\u2028"];
  const photos: Photos = odd.map((photo) => [photo, 10]);
  expect(grow("stopped", photos)).toEqual({ there: [], failed: [] });
  expect(grow("complete", [...photos, ["last", 10]])).toEqual({ there: odd, failed: [] });
  expectWhole([...photos, ["last", 10]]);
});
