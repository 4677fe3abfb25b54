/** The npm package as it would be published, checked and used from a fresh project that has nothing else. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import type { R2Bucket } from "@cloudflare/workers-types";
import { unpackTar } from "modern-tar";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestHarness } from "wrangler";
import { signPath } from "../../src/client/index.ts";
import { makeThumbnail } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
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
  // The package is ESM alone: `require` of it gives the ESM (Node >= 22.12), and resolution without `exports` is Node 10's.
  const problems = checked.problems.filter(
    (problem) =>
      problem.kind !== "CJSResolvesToESM" && !("resolutionKind" in problem && problem.resolutionKind === "node10"),
  );
  expect(problems).toEqual([]);
  expect(Object.keys(checked.entrypoints)).toEqual([
    "./client",
    "./browser",
    "./worker",
    "./worker-simd",
    "./package.json",
  ]);
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

/** examples/mount and examples/rpc as projects of their own, that have the package and its dependencies. */
describe("a Worker of one's own", () => {
  let shop: string;
  beforeAll(() => {
    shop = join(folder, "shop");
    cpSync("examples/mount", shop, { recursive: true });
    cpSync("examples/rpc", join(shop, "uploads"), { recursive: true });
    edit(join(shop, "src/index.ts"), "../../../src/index.ts", "thumbnet-edge/worker");
    edit(join(shop, "src/index.ts"), "../../../src/client/index.ts", "thumbnet-edge/client");
    edit(join(shop, "uploads/src/index.ts"), "../../../src/index.ts", "thumbnet-edge/worker");
    edit(join(shop, "uploads/wrangler.toml"), 'service = "thumbnet-edge"\nentrypoint = "ThumbNet"', SHOP);
    write(join(shop, "package.json"), '{ "type": "module" }');
    cpSync(join(project, "node_modules"), join(shop, "node_modules"), { recursive: true });
    const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    for (const name of Object.keys(dependencies)) link(name);
  });

  const SHOP = 'service = "shop"\nentrypoint = "Thumbnails"';

  function link(name: string): void {
    mkdirSync(dirname(join(shop, "node_modules", name)), { recursive: true });
    symlinkSync(resolve("node_modules", name), join(shop, "node_modules", name));
  }

  function edit(file: string, from: string, to: string): void {
    const text = readFileSync(file, "utf8");
    expect(text).toContain(from);
    writeFileSync(file, text.replace(from, to));
  }

  test.each(["nodenext", "bundler"])("has the package's types (%s)", (moduleResolution) => {
    link("@cloudflare/workers-types");
    const compilerOptions = {
      target: "esnext",
      module: moduleResolution === "bundler" ? "esnext" : moduleResolution,
      moduleResolution,
      lib: ["esnext"],
      types: ["@cloudflare/workers-types"],
      strict: true,
      noEmit: true,
    };
    const files = ["src/index.ts", "uploads/src/index.ts"];
    write(join(shop, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    execFileSync(resolve("node_modules/.bin/tsc"), ["-p", shop], { stdio: "inherit" });
    rmSync(join(shop, "node_modules/@cloudflare"), { recursive: true });
  });

  test("has them beside the runtime's types that wrangler generates, too", () => {
    execFileSync(resolve("node_modules/.bin/wrangler"), ["types"], {
      cwd: shop,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const compilerOptions = {
      target: "esnext",
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["esnext"],
      types: ["./worker-configuration.d.ts"],
      strict: true,
      noEmit: true,
      // As in Cloudflare's own templates: there is no @cloudflare/workers-types.
      skipLibCheck: true,
    };
    write(join(shop, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["src/index.ts"] }));
    execFileSync(resolve("node_modules/.bin/tsc"), ["-p", shop], { stdio: "inherit" });
  }, 60_000);

  test("is bundled without ONNX Runtime from the other entry, which has the same names", async () => {
    const source = readFileSync(join(shop, "src/index.ts"), "utf8");
    write(join(shop, "src/simd.ts"), source.replace("thumbnet-edge/worker", "thumbnet-edge/worker-simd"));
    execFileSync(resolve("node_modules/.bin/wrangler"), ["deploy", "src/simd.ts", "--dry-run", "--outdir", "simd"], {
      cwd: shop,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    const modules = readdirSync(join(shop, "simd")).filter((name) => name.endsWith(".wasm"));
    expect(modules.join()).toMatch(/conv/);
    expect(modules.join()).not.toMatch(/ort-/);
    rmSync(join(shop, "src/simd.ts"));
  }, 60_000);

  test("is bundled as for a deployment, and makes the service's thumbnails by URL and over a binding", async () => {
    execFileSync(resolve("node_modules/.bin/wrangler"), ["deploy", "--dry-run", "--outdir", "built"], {
      cwd: shop,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    const vars = { THUMBNAIL_KEYS: '{"web-1": "correct horse battery staple, and 32 bytes"}' };
    const harness = createTestHarness({
      workers: [
        { configPath: join(shop, "wrangler.toml"), prebuiltWorkerDir: join(shop, "built"), vars },
        { configPath: join(shop, "uploads/wrangler.toml") },
      ],
    });
    try {
      await harness.listen();
      const { PHOTOS } = await harness.getWorker<{ PHOTOS: R2Bucket }>().getEnv();
      const church = readFileSync("examples/photos/church.jpg");
      await PHOTOS.put("church.jpg", church);
      const key = { id: "web-1", secret: "correct horse battery staple, and 32 bytes" };
      const target = await signPath("/thumbnail/size=112,format=npy/r2:church.jpg", key);
      const served = new Uint8Array(await (await harness.fetch(`/img${target}`)).arrayBuffer());
      const { bytes } = await makeThumbnail(church, { size: 112, format: "npy" }, await nodeRuntime());
      expect(Buffer.compare(served, bytes)).toBe(0);
      // The shop names no inference server, which its entry point says without having been asked for a signature.
      const classified = await harness.getWorker("uploads").fetch("http://uploads/", { method: "POST", body: church });
      expect(await classified.json()).toMatchObject({ code: "origin-missing" });
    } finally {
      await harness.close();
    }
  }, 240_000);
});

function write(file: string, data: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, data);
}
