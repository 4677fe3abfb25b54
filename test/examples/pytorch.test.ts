/** What examples/pytorch reads is what the command line writes. Whether it reads it well is asked where PyTorch is: training/. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encoders, FORMATS } from "../../src/imaging/encode.ts";

test.each(FORMATS)("thumbnails of the format %s are found", (format) => {
  const [, suffixes = ""] = /^SUFFIXES = \((.*)\)$/m.exec(readFileSync("examples/pytorch/thumbnails.py", "utf8")) ?? [];
  expect(suffixes.split(", ")).toContain(`".${encoders[format].extension}"`);
});
