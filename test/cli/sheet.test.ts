import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { decodeNpy } from "../../src/imaging/npy.ts";
import { makeThumbnail } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { cli } from "./run.ts";

const index = z.object({
  size: z.number(),
  thumbnails: z.array(z.object({ photo: z.string(), sheet: z.string(), x: z.number(), y: z.number() })),
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sheet-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a sheet holds each photo's thumbnail where the index says", async () => {
  const { code, stdout } = await cli(["sheet", "examples/photos", "-o", folder]);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^3 thumbnails in .*: \d+ bytes each in sheets, \d+ in files/),
  ]);
  expect(readdirSync(folder).sort()).toEqual(["index.json", "sheet-000.png"]);
  const { size, thumbnails } = index.parse(JSON.parse(readFileSync(join(folder, "index.json"), "utf8")));
  expect(thumbnails.map(({ photo }) => photo)).toEqual(["church.jpg", "french-horn.jpg", "parachute.jpg"]);
  const runtime = await nodeRuntime();
  for (const { photo, sheet, x, y } of thumbnails) {
    const tile = sharp(join(folder, sheet)).removeAlpha().extract({ left: x, top: y, width: size, height: size });
    const { bytes } = await makeThumbnail(readFileSync(`examples/photos/${photo}`), { size, format: "npy" }, runtime);
    expect(Buffer.compare(await tile.raw().toBuffer(), decodeNpy(bytes).data)).toBe(0);
  }
});

test("in a sheet of JPEG a thumbnail is close to what it is in a file of its own, and takes fewer bytes", async () => {
  const { stdout } = await cli(["sheet", "examples/photos", "-o", folder, "--format", "jpeg"]);
  const [, inSheets, single] = /: (\d+) bytes each in sheets, (\d+) in files/.exec(stdout) ?? [];
  expect(Number(inSheets)).toBeLessThan(Number(single));
  const photo = readFileSync("examples/photos/french-horn.jpg");
  const { bytes } = await makeThumbnail(photo, { size: 56, format: "jpeg" }, await nodeRuntime());
  const tile = sharp(join(folder, "sheet-000.jpg")).extract({ left: 56, top: 0, width: 56, height: 56 });
  const [inSheet, alone] = await Promise.all([tile.raw().toBuffer(), sharp(bytes).raw().toBuffer()]);
  const apart = inSheet.reduce((sum, value, i) => sum + Math.abs(value - (alone[i] ?? 0)), 0) / inSheet.length;
  expect(apart).toBeLessThan(2);
});
