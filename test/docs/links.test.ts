/** Links of the documentation to its own files. */
import { existsSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const files = await Array.fromAsync(glob(["*.md", "docs/**/*.md", "examples/**/*.md", "training/*.md"]));

it.each(files.sort().map((file) => [file]))("%s leads to files that exist", async (file) => {
  const links = Array.from((await readFile(file, "utf8")).matchAll(/\]\(([^)#\s]+)/g), ([, link = ""]) => link);
  const own = links.filter((link) => !/^(https?|mailto):/.test(link));
  expect(own.filter((link) => !existsSync(join(dirname(file), decodeURI(link))))).toEqual([]);
});
