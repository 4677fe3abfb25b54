/** `doctor` in the folder of a deployment that has a fault. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startOrigin, TEST_MODELS } from "../origin/start-origin.ts";

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

const TOKEN = "a-bearer-token-of-the-origin";
const DEPLOYMENT = `
name = "a"
[[r2_buckets]]
binding = "THUMBNAILS"
[[r2_buckets]]
binding = "ORIGINALS"
[[ratelimits]]
name = "RATE_LIMITER"
namespace_id = "1"
simple = { limit = 1, period = 60 }
`;

/** A repository of student-56 alone; `as` is the model whose file it has. */
function oneModel(as: string): string {
  const models = join(folder, `models-${as}`);
  const model = join(models, "student-56");
  mkdirSync(models);
  cpSync(`models/${as}`, model, { recursive: true });
  const config = readFileSync(join(model, "config.pbtxt"), "utf8");
  writeFileSync(join(model, "config.pbtxt"), config.replace(`name: "${as}"`, 'name: "student-56"'));
  return models;
}

test.each([
  { what: "all models", models: (): string => "models", says: /✓ origins: http:\S+ is ready$/m },
  {
    what: "one of them",
    models: (): string => oneModel("student-56"),
    says: /✓ origins: http:\S+ is ready, without student-56-low-stride, .*teacher-224$/m,
  },
  {
    what: "another model of that name",
    models: (): string => oneModel("student-112"),
    says: /✗ origins: http:\S+: student-56: .* Expected the model of card student-56, but got input /,
  },
  { what: "none of them", models: (): string => TEST_MODELS, says: /✗ origins: http:\S+ has none of the models\./ },
  {
    what: "another token",
    models: (): string => "models",
    args: ["--token", TOKEN],
    says: /✗ origins: http:\S+: student-56: .* Status 401/,
  },
])(
  "an origin with $what is said to be so",
  async ({ models, args = [], says }) => {
    const origin = await startOrigin("--models", models(), ...args);
    writeFileSync(join(folder, "wrangler.toml"), `${DEPLOYMENT}[vars]\nORIGINS = "${origin.url}"\n`);
    const stdout = await doctor();
    await origin.stop();
    expect(stdout).toMatch(says);
  },
  120_000,
);

test("an origin that is not there is said to be so", async () => {
  writeFileSync(join(folder, "wrangler.toml"), `${DEPLOYMENT}[vars]\nORIGINS = "http://127.0.0.1:9"\n`);
  expect(await doctor()).toMatch(/✗ origins: http:\/\/127\.0\.0\.1:9: The inference origin cannot be reached\./);
}, 120_000);
