/** Workers as a deployment bundles them, in workerd without wrangler's proxy in front: what is measured is the Worker alone. */
import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare, NoOpLog, type V4ModuleDefinition } from "miniflare";

/** The configuration that both sides of a comparison share. */
const COMMON = {
  compatibilityDate: "2026-10-20",
  r2Buckets: { THUMBNAILS: "thumbnails", ORIGINALS: "originals" },
  unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
};

const OPEN = { ALLOW_UNSIGNED: "true", SOURCE_HOSTS: "*" };

/** Modules of a Worker, its entry first. */
export interface Bundle {
  readonly root: string;
  readonly modules: V4ModuleDefinition[];
}

export interface RunningWorker {
  readonly port: number;
  readonly miniflare: Miniflare;
  /** CPU seconds of the whole workerd so far, its emulated R2 and caches included. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** As `wrangler deploy` uploads it. */
export async function bundleDeployment(entry: string): Promise<Bundle> {
  const root = join("node_modules/.cache/thumbnet-edge/bench", entry.replaceAll("/", "-"));
  await rm(root, { recursive: true, force: true });
  await promisify(execFile)("wrangler", ["deploy", entry, "--dry-run", "--outdir", root], {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  const modules: V4ModuleDefinition[] = [{ type: "ESModule", path: join(root, `${basename(entry, ".ts")}.js`) }];
  for (const name of await readdir(root)) {
    const path = join(root, name);
    if (name.endsWith(".wasm")) modules.push({ type: "CompiledWasm", path });
    if (name.endsWith(".onnx")) modules.push({ type: "Data", path });
    if (name.endsWith(".txt")) modules.push({ type: "Text", path });
  }
  return { root, modules };
}

/** A small Worker without models, codecs or settings. */
export async function bundlePlain(entry: string): Promise<Bundle> {
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false });
  return { root: ".", modules: [{ type: "ESModule", path: "plain.mjs", contents: outputFiles[0]?.text ?? "" }] };
}

/** @param vars in place of an open service's. */
export async function startBundle(
  { root, modules }: Bundle,
  vars: Record<string, string> = {},
): Promise<RunningWorker> {
  const before = await workerds();
  const bindings = { ...OPEN, ...vars };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ ...COMMON, modules, modulesRoot: root, bindings, log: new NoOpLog() }),
  );
  const { port } = await miniflare.unsafeGetDirectURL();
  const pid = (await workerds()).find((child) => !before.includes(child));
  if (pid === undefined) throw new Error("Miniflare started no workerd.");
  return {
    port: Number(port),
    miniflare,
    cpuSeconds: () => cpuSecondsOf(pid),
    stop: () => miniflare.dispose(),
  };
}

/** The processes that this one has started. */
async function workerds(): Promise<string[]> {
  const tasks = await readdir("/proc/self/task");
  const children = await Promise.all(tasks.map((task) => readFile(`/proc/self/task/${task}/children`, "utf8")));
  return children.flatMap((line) => line.split(" ").filter(Boolean));
}

/** The kernel's nanoseconds on a processor, of threads that are still there. */
async function cpuSecondsOf(pid: string): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/schedstat`, "utf8").catch(() => "0")),
  );
  return times.reduce((sum, line) => sum + Number(line.split(" ")[0]) / 1e9, 0);
}
