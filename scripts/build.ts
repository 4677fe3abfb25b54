/**
 * `npm run build [-- folder]`: the npm package's JavaScript and types, laid out like `src/`, in `dist/` or another folder.
 */
import { execFileSync } from "node:child_process";
import { chmod, copyFile, cp, readdir, readFile, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBrowser } from "./browser.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const OUT = resolve(process.argv[2] ?? join(ROOT, "dist"));

await rm(OUT, { recursive: true, force: true });
// The Worker's part imports models and the manifest, which in the package are where they are here: beside this folder.
const staged = join(OUT, "staged");
compile("tsconfig.build.worker.json", staged);
await cp(join(staged, "src"), OUT, { recursive: true });
await rm(staged, { recursive: true });
// What both parts have comes from here, with types that need no Worker.
compile("tsconfig.build.json", OUT);
for (const file of ["imaging/resample.wasm", "downscaler/simd/conv.wasm"]) {
  await copyFile(join(ROOT, "src", file), join(OUT, file));
}
await cp(join(ROOT, "src/imaging/codecs"), join(OUT, "imaging/codecs"), { recursive: true });

// Of the browser's part the types stay; its code becomes one script that needs no other package.
for (const file of await readdir(join(OUT, "browser"))) {
  if (basename(file) !== "index.d.ts") await rm(join(OUT, "browser", file));
}
await buildBrowser(join(OUT, "browser"));

const { bin } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
for (const command of Object.values<string>(bin)) await chmod(join(OUT, command.replace("./dist/", "")), 0o755);

function compile(config: string, folder: string): void {
  execFileSync("tsc", ["-p", join(ROOT, config), "--outDir", folder], { stdio: "inherit" });
}
