/** The npm package as it would be published, checked and used from a fresh project that has nothing else. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { unpackTar } from "modern-tar";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli } from "../cli/run.ts";
import { RUN_DIR } from "../worker/build.ts";

let folder: string;
let tarball: Buffer<ArrayBuffer>;
let project: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "package-"));
  // Built beside a copy of what the package takes from the repository, so that no other run's `dist/` is touched.
  const staged = join(folder, "staged");
  for (const name of ["package.json", "README.md", "LICENSE", "models"]) {
    cpSync(name, join(staged, name), { recursive: true });
  }
  execFileSync(process.execPath, ["scripts/build.ts", join(staged, "dist")], { stdio: "inherit" });
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  const name = execFileSync("npm", pack, { cwd: staged, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  tarball = readFileSync(join(folder, name.trim()));
  project = join(folder, "project");
  for (const { header, data } of await unpackTar(gunzipSync(tarball))) {
    if (data) write(join(project, "node_modules/thumbnet-edge", header.name.slice("package/".length)), data);
  }
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("publint finds nothing to mend", async () => {
  const { messages } = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true });
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
});

test("every way to resolve modules finds the right types", async () => {
  const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  if (!checked.types) throw new Error("The package has no types.");
  // The package is ESM alone: `require` of it gives the ESM (Node >= 20.19), and resolution without `exports` is Node 10's.
  const problems = checked.problems.filter(
    (problem) =>
      problem.kind !== "CJSResolvesToESM" && !("resolutionKind" in problem && problem.resolutionKind === "node10"),
  );
  expect(problems).toEqual([]);
  expect(Object.keys(checked.entrypoints)).toEqual(["./client", "./browser", "./package.json"]);
});

/** The browser's part is only typed here: it runs in test/browser/downscaling.test.ts. */
const USE = `
import type { classify, LocalClassifyOptions } from "thumbnet-edge/browser";
export const options: Parameters<typeof classify>[2] = { size: 112, format: "png" } satisfies LocalClassifyOptions;
import { createClient, ProblemError, type Classification } from "thumbnet-edge/client";
const thumbnet = createClient("https://thumbnails.example.com", {
  key: { id: "web-1", secret: "correct horse battery staple, and 32 bytes" },
  fetch: async () => Response.json({ type: "/problems/overloaded", title: "Busy", status: 503, detail: "Later." },
    { status: 503, headers: { "content-type": "application/problem+json", "retry-after": "1" } }),
});
console.log((await thumbnet.thumbnailUrl(new URL("https://example.com/a.jpg"), { size: 112 })).replace(/sig=[^/]+/, "sig="));
const classification: Classification | undefined = await thumbnet.classify("r2:a").catch((error: unknown) => {
  if (error instanceof ProblemError && error.code === "overloaded") console.log(error.retryAfter);
  return undefined;
});
console.log(classification?.predictions[0]?.label);
for await (const answer of thumbnet.batch([])) console.log(answer.ok ? answer.classification.model : answer.problem.code);
`;

test.each([
  { resolution: "nodenext", lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"] },
  { resolution: "bundler", lib: ["esnext", "webworker", "webworker.iterable", "webworker.asynciterable"] },
])("a TypeScript project ($resolution) uses the client, whose types need nothing else", ({ resolution, lib }) => {
  write(join(project, "package.json"), '{ "type": "module" }');
  write(join(project, "use.ts"), USE);
  const compilerOptions = {
    target: "esnext",
    module: resolution === "bundler" ? "esnext" : resolution,
    moduleResolution: resolution,
    lib,
    types: [],
    strict: true,
  };
  write(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
  execFileSync(resolve("node_modules/.bin/tsc"), ["-p", project], { stdio: "inherit" });
  const output = execFileSync(process.execPath, [join(project, "use.js")], { encoding: "utf8" });
  expect(output).toBe(
    "https://thumbnails.example.com/thumbnail/size=112,sig=/https://example.com/a.jpg\n1\nundefined\n",
  );
});

test("the command works from the package, beside its dependencies alone", async () => {
  // Here the repository's own dependencies are found further up.
  const installed = join(RUN_DIR, "installed");
  cpSync(join(project, "node_modules/thumbnet-edge"), installed, { recursive: true });
  const main = join(installed, "dist/cli/main.js");
  const { code, stdout } = await cli(["thumbnail", "examples/photos", "-o", join(folder, "out")], {}, main);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^3 made/)]);
  expect((await cli(["classify", "examples/photos/church.jpg"], {}, main)).stdout).toMatch(/^church.jpg: church/);
  expect(statSync(join(folder, "staged/dist/cli/main.js")).mode & 0o111).toBe(0o111);
}, 240_000);

test("Vite bundles the browser's part, with the files beside it", async () => {
  write(join(project, "index.html"), '<script type="module" src="/app.js"></script>');
  write(
    join(project, "app.js"),
    'import { thumbnail } from "thumbnet-edge/browser"; globalThis.thumbnail = thumbnail;',
  );
  await build({ root: project, logLevel: "error", build: { outDir: "built", assetsInlineLimit: 0 } });
  const files = readdirSync(join(project, "built/assets"));
  const named = readdirSync(join(project, "node_modules/thumbnet-edge/dist/browser"));
  for (const file of named.filter((name) => !name.startsWith("index."))) {
    const [stem, extension] = file.split(".");
    expect(files.filter((name) => name.startsWith(`${stem}-`) && name.endsWith(`.${extension}`))).toHaveLength(1);
  }
});

function write(file: string, data: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, data);
}
