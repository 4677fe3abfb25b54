/** `doctor` in the folder of a deployment that has a fault. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "doctor-"));
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const doctor = () =>
  new Promise<string>((done) => {
    execFile(process.execPath, [resolve("src/cli/main.ts"), "doctor"], { cwd: folder }, (_, stdout) => done(stdout));
  });

test.each([
  {
    fault: "cannot be parsed",
    files: { "wrangler.toml": "name = " },
    says: /✗ configuration: Invalid TOML[\s\S]*1 of 4 checks failed/,
  },
  {
    fault: "is another one than wrangler takes",
    files: { "wrangler.toml": 'name = "a"', "wrangler.json": '{ "name": "b" }' },
    says: /✗ bindings: wrangler\.json has no R2 bucket for THUMBNAILS and ORIGINALS/,
  },
])(
  "a configuration that $fault is a check that failed, beside the others",
  async ({ files, says }) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const stdout = await doctor();
    expect(stdout).toMatch(says);
    expect(stdout).toMatch(/✓ model files: /);
  },
  120_000,
);
