import { execFile } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
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
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { unpackTar } from "modern-tar";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { makeThumbnail, type Runtime, type ThumbnailSpec } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { cli, inProcess } from "./run.ts";

// Each run of the command loads ONNX Runtime anew, in as many threads as there are cores.
vi.setConfig({ testTimeout: 120_000 });

const CHURCH = "examples/photos/church.jpg";
const PHOTOS = ["church", "french-horn", "parachute"];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await nodeRuntime();
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cli-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function thumbnailOf(file: string, spec: ThumbnailSpec): Promise<Buffer> {
  return Buffer.from((await makeThumbnail(readFileSync(file), spec, runtime)).bytes);
}

test("photos of a folder become the pipeline's own thumbnails, in folders of the same shape", async () => {
  const photos = join(folder, "photos");
  mkdirSync(join(photos, "deep/er"), { recursive: true });
  copyFileSync(CHURCH, join(photos, "deep/er/church.JPG"));
  copyFileSync(CHURCH, join(photos, "church.jpg"));
  writeFileSync(join(photos, "notes.txt"), "no photo");
  const { code, stdout } = await cli([
    "thumbnail",
    photos,
    "-o",
    join(folder, "out"),
    "--size",
    "112",
    "--format",
    "webp",
  ]);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^2 made, in .*: \d+ bytes of photos are \d+ bytes of thumb/),
  ]);
  const expected = await thumbnailOf(CHURCH, { size: 112, format: "webp" });
  expect(readFileSync(join(folder, "out/deep/er/church.webp"))).toEqual(expected);
  expect(readFileSync(join(folder, "out/church.webp"))).toEqual(expected);
});

test("a run goes on where an earlier one was interrupted, and --force begins anew", async () => {
  const out = join(folder, "out");
  const run = (...more: string[]) => cli(["thumbnail", "examples/photos", "-o", out, ...more]);
  mkdirSync(out);
  writeFileSync(join(out, "church.png"), "made before");
  writeFileSync(join(out, "parachute.png.part"), "half of it");
  expect((await run()).stdout).toMatch(/^2 made, 1 there already/);
  expect(readFileSync(join(out, "church.png"), "utf8")).toBe("made before");
  expect(readdirSync(out).sort()).toEqual(PHOTOS.map((name) => `${name}.png`));
  const time = statSync(join(out, "parachute.png")).mtimeMs;
  expect((await run()).stdout).toMatch(/^0 made, 3 there already/);
  expect(statSync(join(out, "parachute.png")).mtimeMs).toBe(time);
  expect((await run("--force")).stdout).toMatch(/^3 made, in/);
  expect(readFileSync(join(out, "church.png"))).toEqual(await thumbnailOf(CHURCH, { size: 56, format: "png" }));
});

test("a tar has one sample a photo, whose file's name has dots only before the extension", async () => {
  mkdirSync(join(folder, "001.Church"));
  copyFileSync(CHURCH, join(folder, "001.Church/church.of.stone.jpg"));
  const tar = join(folder, "set/train.tar");
  expect((await cli(["thumbnail", "examples/photos", folder, "-o", tar, "--format", "npy"])).code).toBe(0);
  expect(readdirSync(join(folder, "set"))).toEqual(["train.tar"]);
  const entries = await unpackTar(readFileSync(tar));
  expect(entries.map(({ header }) => header.name).sort()).toEqual(
    ["001.Church/church_of_stone", ...PHOTOS].map((name) => `${name}.npy`).sort(),
  );
  const church = entries.find(({ header }) => header.name === "church.npy");
  expect(Buffer.from(church?.data ?? [])).toEqual(await thumbnailOf(CHURCH, { size: 56, format: "npy" }));
});

test.each([
  { output: "set.tar", code: 2, message: /a\.b\.jpg and .*a_b\.jpg would both be called "a_b"/ },
  { output: "set", code: 1, message: /a_b\.jpg: Expected a JPEG/ },
])("two photos that would be one sample are refused for $output alone", async ({ output, code, message }) => {
  for (const name of ["a.b.jpg", "a_b.jpg"]) writeFileSync(join(folder, name), "no photo");
  const ended = await cli(["thumbnail", folder, "-o", join(folder, output)]);
  expect(ended).toMatchObject({ code, stderr: expect.stringMatching(message) });
});

test("an npy stacks all thumbnails, with their names beside it in the same order", async () => {
  const file = join(folder, "set.npy");
  const { code, stdout } = await cli(["thumbnail", "examples/photos", "-o", file, "--size", "112"]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^3 made, in /)]);
  expect(readdirSync(folder).sort()).toEqual(["set.json", "set.npy"]);
  const names: string[] = JSON.parse(readFileSync(join(folder, "set.json"), "utf8"));
  expect([...names].sort()).toEqual(PHOTOS.map((name) => `${name}.jpg`));
  const bytes = readFileSync(file);
  expect(bytes.subarray(10, 128).toString()).toMatch(
    /^\{'descr': '\|u1', 'fortran_order': False, 'shape': \(3, 112, 112, 3\), \} +\n$/,
  );
  expect(bytes.length).toBe(128 + 3 * 112 * 112 * 3);
  for (const [i, name] of names.entries()) {
    const npy = await thumbnailOf(`examples/photos/${name}`, { size: 112, format: "npy" });
    const start = 128 + i * 112 * 112 * 3;
    expect(Buffer.compare(bytes.subarray(start, start + 112 * 112 * 3), npy.subarray(128))).toBe(0);
  }
});

/** Of the file that was written last. */
const readParquet = async (name: string) =>
  parquetReadObjects({ file: await asyncBufferFromFile(join(folder, name)), utf8: false });

test("a parquet has a row for each photo, labelled by its folder", async () => {
  const photos = join(folder, "photos");
  mkdirSync(join(photos, "train/buildings"), { recursive: true });
  copyFileSync(CHURCH, join(photos, "train/buildings/church.jpg"));
  copyFileSync(CHURCH, join(photos, "church.jpg"));
  const file = join(folder, "set/train.parquet");
  const options = ["--size", "112", "--format", "webp", "--jobs", "1"];
  expect((await cli(["thumbnail", photos, "-o", file, ...options])).code).toBe(0);
  expect(readdirSync(join(folder, "set"))).toEqual(["train.parquet"]);
  const thumbnail = await thumbnailOf(CHURCH, { size: 112, format: "webp" });
  const same = { width: 112, height: 112, format: "webp", bytes: new Uint8Array(thumbnail) };
  expect(await readParquet("set/train.parquet")).toEqual([
    { name: "church.jpg", label: null, ...same },
    { name: "train/buildings/church.jpg", label: "buildings", ...same },
  ]);
});

test.each([
  { file: "set.tar", format: "png" },
  { file: "set.npy", format: "npy" },
  { file: "set.parquet", format: "png" },
])(
  "an interrupted $file is gone on with, its torn end cut off; other options are refused",
  async ({ file, format }) => {
    const photos = join(folder, "photos");
    cpSync("examples/photos", photos, { recursive: true });
    writeFileSync(join(photos, "church.jpg"), "not yet whole");
    const output = join(folder, "out", file);
    const run = (...more: string[]) => cli(["thumbnail", photos, "-o", output, ...more]);
    expect(await run()).toMatchObject({ code: 1, stdout: expect.stringMatching(/^2 made, 1 failed/) });
    expect(readdirSync(join(folder, "out")).sort()).toEqual([`${file}.journal`, `${file}.part`]);
    appendFileSync(`${output}.part`, "what a run wrote when it was stopped");
    appendFileSync(`${output}.journal`, "123 without the end of its li");
    copyFileSync(CHURCH, join(photos, "church.jpg"));

    expect((await run("--fit", "cover")).stderr).toMatch(
      new RegExp(`was begun with format=${format},size=56, not fit=cover,format=${format},size=56\\. .*--force`),
    );
    expect(await run()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 made, 2 there already/) });
    const expected = await thumbnailOf(CHURCH, { size: 56, format: format as "png" });
    if (file.endsWith(".parquet")) {
      const rows = await readParquet(`out/${file}`);
      expect(rows.map(({ name }) => name).sort()).toEqual(PHOTOS.map((name) => `${name}.jpg`));
      expect(rows.at(-1)).toMatchObject({ name: "church.jpg", bytes: new Uint8Array(expected) });
    } else if (format === "png") {
      const entries = await unpackTar(readFileSync(output));
      expect(entries.map(({ header }) => header.name).sort()).toEqual(PHOTOS.map((name) => `${name}.png`));
      expect(Buffer.from(entries.at(-1)?.data ?? [])).toEqual(expected);
    } else {
      expect(readFileSync(output).subarray(-56 * 56 * 3)).toEqual(expected.subarray(-56 * 56 * 3));
    }
  },
);

test("a run that was stopped between naming its file and removing the journal is no hindrance", async () => {
  const tar = join(folder, "set.tar");
  writeFileSync(tar, "whole");
  writeFileSync(`${tar}.journal`, "format=png,size=56\n512 church.jpg\n");
  expect(await cli(["thumbnail", CHURCH, "-o", tar])).toMatchObject({ code: 0, stderr: "" });
  expect((await unpackTar(readFileSync(tar))).map(({ header }) => header.name)).toEqual(["church.png"]);
  expect(readdirSync(folder)).toEqual(["set.tar"]);
});

test("links to photos are photos", async () => {
  const photos = join(folder, "photos");
  mkdirSync(photos);
  symlinkSync(join(process.cwd(), CHURCH), join(photos, "linked.jpg"));
  symlinkSync("nowhere.jpg", join(photos, "broken.jpg"));
  const { code, stdout, stderr } = await cli(["thumbnail", photos, "-o", join(folder, "out")]);
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^1 made, 1 failed/)]);
  expect(stderr).toMatch(/broken\.jpg: ENOENT/);
  expect(readdirSync(join(folder, "out"))).toEqual(["linked.png"]);
});

test("a folder may have more photos than a call may have arguments", async () => {
  const photos = join(folder, "photos");
  mkdirSync(photos);
  for (let i = 0; i < 16_000; i++) writeFileSync(join(photos, `${i}.jpg`), "");
  // That is 125,000 in the stack that Node has by default. What comes after the search is refused.
  const args = ["--stack-size=110", "src/cli/main.ts", "thumbnail", photos, "-o", join(folder, "out"), "--jobs", "0"];
  const stderr = await new Promise((resolve) => execFile(process.execPath, args, (_, __, text) => resolve(text)));
  expect(stderr).toMatch(/for --jobs, but got "0"/);
});

test("a thread that a photo ends takes no other photo with it", async () => {
  const photos = join(folder, "photos");
  cpSync("examples/photos", photos, { recursive: true });
  writeFileSync(join(photos, "bad.jpg"), "x");
  const deadly = join(folder, "deadly.mjs");
  writeFileSync(
    deadly,
    `import { isMainThread, parentPort } from "node:worker_threads";
    const end = ({ photo }) => { if (photo.length < 100) throw new Error("It ended the thread."); };
    if (!isMainThread) parentPort.on("message", end);`,
  );
  const env = { NODE_OPTIONS: `--import ${deadly}` };
  const { code, stdout, stderr } = await cli(["thumbnail", photos, "-o", join(folder, "out"), "-j", "1"], env);
  expect(stderr).toMatch(/bad\.jpg: It ended the thread\./);
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^3 made, 1 failed/)]);
});

test("a list is read from the standard input, whatever that is", async () => {
  const out = join(folder, "out");
  const ended = new Promise<unknown>((resolve) => {
    const args = ["src/cli/main.ts", "thumbnail", "--list", "-", "-o", out];
    // Node's own pipes are sockets, which cannot be opened by a name.
    execFile(process.execPath, args, (error) => resolve(error)).stdin?.end(`${CHURCH}\n`);
  });
  expect(await ended).toBeNull();
  expect(readdirSync(join(out, "examples/photos"))).toEqual(["church.png"]);
});

test("--skip-failed finishes a tar without what failed", async () => {
  const damaged = join(folder, "damaged.jpg");
  writeFileSync(damaged, "no photo");
  const tar = join(folder, "set.tar");
  expect((await cli(["thumbnail", CHURCH, damaged, "-o", tar, "--skip-failed"])).code).toBe(1);
  expect((await unpackTar(readFileSync(tar))).map(({ header }) => header.name)).toEqual(["church.png"]);
});

test("a list of URLs goes on where it was: what is there is not fetched again", async () => {
  const asked: string[] = [];
  let whole = false;
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    if (url.startsWith("/a/") || whole) response.end(readFileSync(CHURCH));
    else response.writeHead(503).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const list = join(folder, "list.txt");
  // The same file name in two places, and twice the same but for the query.
  // A query longer than a file's name may be, as presigned URLs have them.
  const presigned = `${base}/a/church.jpg?signature=${"0123456789abcdef".repeat(20)}`;
  const lines = [`${base}/a/church.jpg`, `${base}/b/church.jpg`, "", `${base}/b/church.jpg?v=2\r`, CHURCH, presigned];
  writeFileSync(list, lines.map((line) => `${line}\n`).join(""));
  const out = join(folder, "out");
  const run = () => cli(["thumbnail", "--list", list, "-o", out]);
  expect(await run()).toMatchObject({ code: 1, stdout: expect.stringMatching(/^3 made, 2 failed/) });
  asked.length = 0;
  whole = true;
  expect(await run()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2 made, 3 there already/) });
  expect(asked.sort()).toEqual(["/b/church.jpg", "/b/church.jpg?v=2"]);
  server.close();
  const files = readdirSync(out, { recursive: true }).filter((name) => String(name).endsWith(".png"));
  expect(files.sort()).toEqual([
    "127.0.0.1/a/church.png",
    expect.stringMatching(/^127\.0\.0\.1\/a\/church_[0-9a-f]{32}\.png$/),
    "127.0.0.1/b/church.png",
    "127.0.0.1/b/church_v_2.png",
    "examples/photos/church.png",
  ]);
});

test("photos are fetched from URLs; what fails is named, the rest is made", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/photos/church.jpg?v=2") response.end(readFileSync(CHURCH));
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const damaged = join(folder, "damaged.jpg");
  writeFileSync(damaged, readFileSync(CHURCH).subarray(0, 300));
  const out = join(folder, "out");
  const { code, stdout, stderr } = await cli([
    "thumbnail",
    `${base}/photos/church.jpg?v=2`,
    `${base}/missing.jpg`,
    damaged,
    "README.md",
    "-o",
    out,
  ]);
  server.close();
  expect(code).toBe(1);
  expect(stdout).toMatch(/^1 made, 3 failed/);
  for (const message of [/damaged\.jpg: The JPEG/, /README\.md: Expected a JPEG/, /missing\.jpg: 127.* answered 404/]) {
    expect(stderr).toMatch(message);
  }
  expect(readdirSync(out)).toEqual(["church.png"]);
});

test.each([
  { args: [], message: /Expected --output/ },
  { args: ["-o", "out"], message: /Expected files, folders or URLs/ },
  { args: ["-o", "out", "nowhere.jpg"], message: /no file or folder "nowhere.jpg"/ },
  { args: ["-o", "out", "src"], message: /no photo \(.jpg .*\) in src/ },
  { args: ["-o", "out", CHURCH, "test/fixtures/../../examples/photos/church.jpg"], message: /both be called "church"/ },
  { args: ["-o", "out", CHURCH, "--size", "57"], message: /size: .*"56"\|"112"/ },
  { args: ["-o", "out", CHURCH, "--format", "auto"], message: /auto is for browsers; .* png, webp, jpeg, avif, npy\./ },
  { args: ["-o", "out", CHURCH, "--format", "png", "--quality", "5"], message: /quality: has a meaning only/ },
  { args: ["-o", "out.npy", CHURCH, "--format", "png"], message: /--format npy, or none, for out.npy, but got "png"/ },
  { args: ["-o", "out", "--list", "nowhere.txt"], message: /no list "nowhere.txt"/ },
  { args: ["-o", "out", CHURCH, "--jobs", "0"], message: /whole number from 1 to 256 for --jobs, but got "0"/ },
  { args: ["-o", "out", CHURCH, "--colour"], message: /--colour/ },
])("the command line $args is refused with what mends it", async ({ args, message }) => {
  const { code, stdout, stderr } = await inProcess(["thumbnail", ...args]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
  expect(stderr).toContain('Try "thumbnet-edge thumbnail --help".');
});
