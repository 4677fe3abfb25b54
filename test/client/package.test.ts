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
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli } from "../cli/run.ts";

let folder: string;
let tarball: Buffer<ArrayBuffer>;
let project: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "package-"));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { stdio: ["ignore", "ignore", "inherit"] });
  tarball = readFileSync(join(folder, readdirSync(folder)[0] ?? ""));
  project = join(folder, "project");
  for (const { header, data } of await unpackTar(gunzipSync(tarball))) {
    if (data) write(join(project, "node_modules/thumbnet-edge", header.name.slice("package/".length)), data);
  }
}, 120_000);
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
  expect(Object.keys(checked.entrypoints)).toContain("./client");
});

const USE = `
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
  const installed = resolve("node_modules/.cache/thumbnet-edge/installed");
  rmSync(installed, { recursive: true, force: true });
  cpSync(join(project, "node_modules/thumbnet-edge"), installed, { recursive: true });
  const main = join(installed, "dist/cli/main.js");
  const { code, stdout } = await cli(["thumbnail", "examples/photos", "-o", join(folder, "out")], {}, main);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^3 made/)]);
  expect((await cli(["classify", "examples/photos/church.jpg"], {}, main)).stdout).toMatch(/^church.jpg: church/);
  expect(statSync("dist/cli/main.js").mode & 0o111).toBe(0o111);
});

function write(file: string, data: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, data);
}
