import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackTar } from "modern-tar";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { makeThumbnail, type Runtime, type ThumbnailSpec } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { cli, inProcess } from "./run.ts";

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

test("a tar has one sample a photo, with dots only before the extension", async () => {
  copyFileSync(CHURCH, join(folder, "church.of.stone.jpg"));
  const tar = join(folder, "set/train.tar");
  expect((await cli(["thumbnail", "examples/photos", folder, "-o", tar, "--format", "npy"])).code).toBe(0);
  expect(readdirSync(join(folder, "set"))).toEqual(["train.tar"]);
  const entries = await unpackTar(readFileSync(tar));
  expect(entries.map(({ header }) => header.name).sort()).toEqual(
    ["church_of_stone", ...PHOTOS].map((name) => `${name}.npy`).sort(),
  );
  const church = entries.find(({ header }) => header.name === "church.npy");
  expect(Buffer.from(church?.data ?? [])).toEqual(await thumbnailOf(CHURCH, { size: 56, format: "npy" }));
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
  { args: ["-o", "out", CHURCH, "--format", "auto"], message: /auto is for browsers/ },
  { args: ["-o", "out", CHURCH, "--format", "png", "--quality", "5"], message: /quality: has a meaning only/ },
  { args: ["-o", "out", CHURCH, "--jobs", "0"], message: /whole number from 1 to 256 for --jobs, but got "0"/ },
  { args: ["-o", "out", CHURCH, "--colour"], message: /--colour/ },
])("the command line $args is refused with what mends it", async ({ args, message }) => {
  const { code, stdout, stderr } = await inProcess(["thumbnail", ...args]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
  expect(stderr).toContain('Try "thumbnet-edge thumbnail --help".');
});
