/** `npm run build`: the npm package's JavaScript and types in `dist/`, laid out like `src/`. */
import { execFileSync } from "node:child_process";
import { chmod, copyFile, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

await rm(`${ROOT}dist`, { recursive: true, force: true });
execFileSync("tsc", ["-p", `${ROOT}tsconfig.build.json`], { stdio: "inherit" });
await copyFile(`${ROOT}src/imaging/resample.wasm`, `${ROOT}dist/imaging/resample.wasm`);

const { bin } = JSON.parse(await readFile(`${ROOT}package.json`, "utf8"));
for (const command of Object.values<string>(bin)) await chmod(`${ROOT}${command}`, 0o755);
