import { deflateSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { Problem } from "../../src/errors.ts";
import { crc32 } from "../../src/imaging/crc32.ts";
import { decode, decodeExact } from "../../src/imaging/decode.ts";
import type { Geometry } from "../../src/imaging/image.ts";
import { loadCodec } from "../../src/runtime/node.ts";
import { goldenFile, goldenNames } from "./golden.ts";

const GEOMETRY: Geometry = { size: 24, filter: "bilinear", fit: "fill" };
const FILES = goldenNames(/^(?!resample).*\.(png|jpeg|webp|gif|avif)$/);

/** How often the mutation test mutates; IMAGING_MUTATIONS asks for more. */
const MUTATIONS = Number(process.env.IMAGING_MUTATIONS ?? 3000);

/** The outcome for a file that may be damaged: pixels, or a client's error. Anything else is a defect. */
async function outcome(file: Uint8Array): Promise<"decoded" | Problem> {
  try {
    const image = await decode(file, GEOMETRY, loadCodec);
    expect(image.data.length).toBe(24 * 24 * 3);
    return "decoded";
  } catch (error) {
    if (error instanceof Problem && error.status >= 400 && error.status < 500) return error;
    throw error;
  }
}

function undecodable(file: Uint8Array, detail: RegExp = /./): Promise<void> {
  return expect(decodeExact(file, loadCodec)).rejects.toMatchObject({
    code: "undecodable-image",
    message: expect.stringMatching(detail),
  });
}

/** A PNG's IEND chunk, which nobody misses. */
const TAIL = 12;

describe("a truncated file is refused wherever it ends", () => {
  test.each(FILES)("%s", async (name) => {
    const file = goldenFile(name);
    for (let share = 1; share < 11; share++) {
      const cut = file.subarray(0, Math.floor(((file.length - TAIL) * share) / 11));
      // What is missing is a second frame, or only the tail behind the last pixel.
      if ((await outcome(cut)) === "decoded" && !name.startsWith("animated")) {
        throw new Error(`${name} was decoded from ${cut.length} of ${file.length} bytes`);
      }
    }
  });

  test.each(FILES.filter((name) => /jpeg$|gif$/.test(name)))("but %s may lack its end marker", async (name) => {
    const file = goldenFile(name);
    const whole = await decodeExact(file, loadCodec);
    expect(await decodeExact(file.subarray(0, name.endsWith("gif") ? -1 : -2), loadCodec)).toEqual(whole);
  });

  test.each(FILES.filter((name) => /jpeg$/.test(name)))("and %s may be filled up with zeros", async (name) => {
    const file = goldenFile(name);
    const filled = (length: number) => Uint8Array.of(...file.subarray(0, length), ...new Uint8Array(500));
    expect(await decodeExact(filled(file.length - 2), loadCodec)).toEqual(await decodeExact(file, loadCodec));
    await undecodable(filled(file.length - 40), /truncated/);
  });
});

describe("PNG", () => {
  const chunk = (type: string, body: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(12 + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, body.length);
    bytes.set(new TextEncoder().encode(type), 4);
    bytes.set(body, 8);
    view.setUint32(8 + body.length, crc32(bytes, 4, 8 + body.length));
    return bytes;
  };
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const png = (...chunks: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat([signature, ...chunks]));
  const ihdr = (...bytes: number[]): Uint8Array => chunk("IHDR", Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 4, ...bytes));
  const idat = (bytes: Uint8Array): Uint8Array => chunk("IDAT", deflateSync(bytes));
  const iend = chunk("IEND", new Uint8Array());
  const rgb = ihdr(8, 2, 0, 0, 0);
  const rows = new Uint8Array(4 * 13);

  test("this one is good", async () => {
    const image = await decodeExact(png(rgb, idat(rows), iend), loadCodec);
    expect(image.data).toEqual(new Uint8Array(48));
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["data that end too early", png(rgb, idat(rows.subarray(1)), iend), /end too early/],
    ["no IDAT", png(rgb, iend), /no IDAT/],
    ["no IHDR", png(idat(rows), iend), /does not begin with an IHDR/],
    ["a short IHDR", png(chunk("IHDR", new Uint8Array(9)), idat(rows), iend), /no valid IHDR/],
    ["nothing", png(), /no valid IHDR/],
    ["an unknown filter", png(rgb, idat(rows.slice().fill(5, 13, 14)), iend), /unknown filter/],
    ["3 bits a sample", png(ihdr(3, 2, 0, 0, 0), idat(rows), iend), /does not exist/],
    ["colour type 5", png(ihdr(8, 5, 0, 0, 0), idat(rows), iend), /does not exist/],
    ["interlacing 2", png(ihdr(8, 2, 0, 0, 2), idat(rows), iend), /unknown methods/],
    ["no palette", png(ihdr(8, 3, 0, 0, 0), idat(rows), iend), /palette is missing/],
    ["an unknown critical chunk", png(rgb, chunk("ABcd", rows), idat(rows), iend), /unknown type/],
    ["data that are not zlib's", png(rgb, chunk("IDAT", rows), iend), /damaged/],
    [
      "very many chunks",
      png(rgb, new Uint8Array(Buffer.concat(Array(50_000).fill(chunk("teXt", new Uint8Array())))), idat(rows), iend),
      /50000 chunks/,
    ],
  ])("with %s is refused", async (_name, file, detail) => {
    await undecodable(file, detail);
  });

  test.each([
    ["a row too many", idat(new Uint8Array(5 * 13))],
    ["a bomb", idat(new Uint8Array(50e6))],
    ["another chunk of data", new Uint8Array(Buffer.concat([idat(rows), idat(rows)]))],
  ])("%s does not count", async (_name, data) => {
    const image = await decodeExact(png(rgb, data, iend), loadCodec);
    expect(image.data).toEqual(new Uint8Array(48));
  });

  test("a wrong CRC counts in a critical chunk and nowhere else", async () => {
    const broken = (part: Uint8Array): Uint8Array => part.map((byte, i) => (i === part.length - 1 ? byte ^ 1 : byte));
    await undecodable(png(rgb, broken(idat(rows)), iend), /CRC of its IDAT/);
    const ancillary = png(rgb, broken(chunk("teXt", rows)), idat(rows), iend);
    await expect(decodeExact(ancillary, loadCodec)).resolves.toMatchObject({ width: 4 });
  });
});

describe("JPEG", () => {
  /** The golden file with the frame header's marker or a byte of its body changed. */
  const frame = (offset: number, value: number): Uint8Array => {
    const file = goldenFile("baseline-444.jpeg");
    const at = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0);
    file[at + offset] = value;
    return file;
  };

  test.each<[string, Uint8Array, RegExp]>([
    ["arithmetic coding", frame(1, 0xc9), /baseline or progressive JPEG image; a arithmetic-coded one came/],
    ["lossless coding", frame(1, 0xc3), /a lossless one came/],
    ["hierarchical coding", frame(1, 0xc5), /a hierarchical one came/],
    ["12 bits a sample", frame(4, 12), /8 bits a sample; one of 12 came/],
    ["two components", frame(9, 2), /wrong length/],
    ["a sampling factor of 5", frame(11, 0x51), /sampling factor/],
    ["no frame", frame(1, 0xed), /before the frame/],
    ["SOI alone", goldenFile("grey.jpeg").subarray(0, 3), /no frame header/],
  ])("with %s is refused", async (_name, file, detail) => {
    await undecodable(file, detail);
  });
});

test("a WebP whose container promises another size than its bitstream is refused or bounded", async () => {
  const file = goldenFile("animated.webp");
  const text = String.fromCharCode(...file);
  file[text.indexOf("ANMF") + 14] = 200;
  await undecodable(file, /two sizes|outside its canvas/);
});

test("an AVIF of very many boxes is refused", async () => {
  const start = [0, 0, 0, 16, ...Buffer.from("ftypavif"), 0, 0, 0, 0];
  const box = [0, 0, 0, 8, ...Buffer.from("free")];
  await undecodable(Uint8Array.from([...start, ...Array(9_998).fill(box).flat()]), /no meta box/);
  await undecodable(Uint8Array.from([...start, ...Array(10_000).fill(box).flat()]), /more than 10000 boxes/);
});

test("a small AVIF that hides a huge picture cannot take more memory than its bound", async () => {
  const file = goldenFile("plain.avif");
  const text = String.fromCharCode(...file);
  // The box that the size is read from says 37 x 29; the one that libavif gets says less.
  new DataView(file.buffer).setUint32(text.indexOf("ispe") + 8, 36);
  expect(await outcome(file)).toMatchObject({ code: "undecodable-image" });
});

test("a codec that cannot be loaded is the service's fault", async () => {
  vi.resetModules();
  const fresh = await import("../../src/imaging/decode.ts");
  const failing = () => Promise.reject(new Error("no such module"));
  for (const name of ["grey.jpeg", "lossy.webp", "grey.avif"]) {
    const attempt = fresh.decode(goldenFile(name), GEOMETRY, failing);
    await expect(attempt).rejects.toMatchObject({ code: "internal-error", status: 500 });
  }
});

/** xorshift32. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function mutate(file: Uint8Array, next: (below: number) => number): Uint8Array {
  const kinds = next(6);
  const at = next(file.length);
  if (kinds === 0) return file.subarray(0, at);
  if (kinds === 1) return Uint8Array.of(...file.subarray(0, at), ...file.subarray(at + 1 + next(64)));
  if (kinds === 2) {
    const copied = file.subarray(at, at + 1 + next(64));
    return Uint8Array.of(...file.subarray(0, at), ...copied, ...file.subarray(at));
  }
  const mutated = file.slice();
  // Headers matter more than pixels.
  const reach = kinds === 3 ? Math.min(file.length, 100) : file.length;
  for (let count = 1 + next(8); count > 0; count--) mutated[next(reach)] = next(3) === 0 ? 255 * next(2) : next(256);
  return mutated;
}

test(`${MUTATIONS} mutated files end in pixels or a client's error, and spoil nothing`, {
  timeout: 600_000,
}, async () => {
  const next = random(20_261_124);
  const good = new Map<string, Uint8Array>();
  for (const name of FILES) good.set(name, (await decodeExact(goldenFile(name), loadCodec)).data);
  let refused = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const name = FILES[next(FILES.length)] ?? "";
    if ((await outcome(mutate(goldenFile(name), next))) !== "decoded") refused++;
    if (i % 10 === 0) expect((await decodeExact(goldenFile(name), loadCodec)).data).toEqual(good.get(name));
  }
  expect(refused).toBeGreaterThan(MUTATIONS / 10);
  expect(refused).toBeLessThan(MUTATIONS);
});
