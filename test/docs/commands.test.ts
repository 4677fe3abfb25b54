/** Every shell command of the documentation is run here, known here, or marked with what it needs. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, glob, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inProcess } from "../cli/run.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { MARKS, type ShellLine, shellLines } from "./shell.ts";

const OWNER_KEY = "owner-key-owner-key-owner-key-owner-key";
const SERVICE = "http://127.0.0.1:8787";
const ORIGIN = "http://127.0.0.1:8000";

const files = (
  await Array.fromAsync(glob(["*.md", "docs/**/*.md", "examples/**/*.md"], { exclude: ["node_modules"] }))
).sort();
const lines = (await Promise.all(files.map(shellLines))).flat();
const { scripts } = JSON.parse(await readFile("package.json", "utf8"));

/** Commands after `wrangler` that need no account. */
const WRANGLER = ["deploy --dry-run", "check startup", "dev", "types"];

/** Where a command is known: run by this test, by another, or by everyone who works here. */
const KNOWN: readonly (readonly [form: RegExp, check: (match: readonly string[]) => unknown])[] = [
  [/^npm (ci|test|start|install)( .*)?$/, ([, name = ""]) => name === "ci" || name === "install" || name in scripts],
  [/^npm run (-s )?([\w:]+)( .*)?$/, ([, , name = ""]) => name in scripts],
  [/^npx wrangler (.+)$/, ([, rest = ""]) => WRANGLER.some((known) => rest.startsWith(known))],
  [/^(?:\S+=\S+ |\S+='[^']*' )*npx thumbnet-edge (\w+)( .*)?$/, ([, name = "", rest = ""]) => hasOptions(name, rest)],
  [/^npx node (\S+\.ts)( .*)?$/, ([, path = ""]) => existsSync(path)],
  [/^(training\/\S+\.sh|examples\/\S+\.sh)$/, ([, path = ""]) => existsSync(path)],
  [/^openssl rand -hex \d+$/, () => true],
  [/^curl (.+)$/, ([, rest = ""]) => rest.includes(SERVICE) || rest.includes(ORIGIN)],
];

/** Against the command's own help. */
async function hasOptions(name: string, rest: string): Promise<boolean> {
  const { code, stdout } = await inProcess([name, "--help"]);
  const options = Array.from(rest.matchAll(/(?<=\s)--?[a-z][\w-]*/g), ([option]) => option);
  return code === 0 && options.every((option) => new RegExp(`(^|\\s)${option}[\\s,]`).test(stdout));
}

const commands = (text: string) => text.split(/\s+&&\s+/);

it("the documentation has commands, and every mark is one that is explained", () => {
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.filter(({ mark }) => mark !== "" && !MARKS.some((known) => known === mark))).toEqual([]);
});

it.each(
  lines.filter(({ mark }) => mark === "").flatMap((line) => commands(line.text).map((text) => [line.file, text])),
)("%s: %s", async (_, text) => {
  const [known] = KNOWN.flatMap(([form, check]) => {
    const match = form.exec(text);
    return match ? [() => check(match)] : [];
  });
  expect(known, `"${text}" is of no form that a test knows: mark its block, or teach test/docs.`).toBeDefined();
  expect(await known?.(), `"${text}" names something that does not exist.`).toBe(true);
});

it.each(
  lines.filter(({ mark, text }) => mark === "account" && text.includes("npx thumbnet-edge")).map(({ text }) => [text]),
)("of an account, but our own: %s", async (text) => {
  const [, name = "", rest = ""] = /npx thumbnet-edge (\w+)( .*)?$/.exec(text) ?? [];
  expect(await hasOptions(name, rest)).toBe(true);
});

describe("a request of the documentation is answered", () => {
  const isRequest = ({ mark, text }: ShellLine) => mark === "" && text.startsWith("curl ");
  let folder: string;
  let worker: TestWorker;
  let origin: RunningOrigin;
  const realFetch = globalThis.fetch;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "docs-"));
    const church = await readFile("examples/photos/church.jpg");
    await writeFile(join(folder, "photo.jpg"), church);
    await cp("examples/photos", join(folder, "examples/photos"), { recursive: true });
    origin = await startOrigin();
    worker = await startWorker({ ORIGINS: origin.url }, { OWNER_KEY });
    for (const name of ["church", "french-horn", "parachute"]) {
      await worker.env.ORIGINALS.put(`examples/${name}.jpg`, await readFile(`examples/photos/${name}.jpg`));
    }
    globalThis.fetch = async (input, init) =>
      new Request(input).url.startsWith("https://example.com/") ? new Response(church) : realFetch(input, init);
  });
  afterAll(async () => {
    globalThis.fetch = realFetch;
    await worker?.close();
    await origin?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(lines.filter(isRequest).map(({ file, text }) => [file, text]))("%s: %s", async (_, text) => {
    const here = text
      .replaceAll(SERVICE, worker.url.origin)
      .replaceAll(ORIGIN, origin.url)
      .replace(/^curl/, "curl --fail");
    // Not the blocking kind: what the Worker fetches is answered by this process.
    const { stdout, stderr } = await promisify(execFile)("bash", ["-c", here], {
      cwd: folder,
      env: { ...process.env, OWNER_KEY },
    });
    expect(stderr + stdout).not.toMatch(/curl: |\/problems\//);
  });
});
