import { beforeEach, describe, expect, test, vi } from "vitest";
import { codeTable, skipTable } from "../../src/imaging/jpeg-huffman.ts";
import { readJpegMarkers } from "../../src/imaging/jpeg-markers.ts";
import { goldenFile } from "./golden.ts";
import { libjpeg, reduced } from "./jpeg-pixels.ts";

// Counts the calls and changes nothing.
vi.mock("../../src/imaging/jpeg-huffman.ts", { spy: true });

beforeEach(() => {
  vi.clearAllMocks();
});

const FILES = ["progressive.jpeg", "baseline-444.jpeg"];
const START = 2;

/** A definition of one code of one bit, or of `codes` of them, of which there are two. */
function definition(destination: number, codes = 1): number[] {
  return [destination, codes, ...Array(15).fill(0), ...Array(codes).fill(0)];
}

/** The file with DHT segments of these definitions at `offset`. */
function withDefinitions(file: Uint8Array, offset: number, definitions: readonly number[][]): Uint8Array {
  const parts = [file.subarray(0, offset)];
  for (let i = 0; i < definitions.length; i += 3000) {
    const body = definitions.slice(i, i + 3000).flat();
    const length = body.length + 2;
    parts.push(Uint8Array.of(0xff, 0xc4, length >> 8, length & 255), Uint8Array.from(body));
  }
  return new Uint8Array(Buffer.concat([...parts, file.subarray(offset)]));
}

function firstScan(file: Uint8Array): number {
  return file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xda);
}

describe("tables are made when a scan selects them", () => {
  test.each(FILES)("ten thousand others cost nothing and change nothing: %s", (name) => {
    const file = goldenFile(name);
    const expected = reduced(file, 4);
    const made = vi.mocked(codeTable).mock.calls.length;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThanOrEqual(8 * readJpegMarkers(file).scans);
    const skips = vi.mocked(skipTable).mock.calls.length;

    vi.clearAllMocks();
    const redefined = Array.from({ length: 10_000 }, (_, i) => definition((i & 3) | ((i & 4) << 2)));
    expect(reduced(withDefinitions(file, START, redefined), 4)).toEqual(expected);
    expect(codeTable).toHaveBeenCalledTimes(made);
    expect(skipTable).toHaveBeenCalledTimes(skips);
  });

  test("one that several components share is made once", () => {
    reduced(goldenFile("baseline-444.jpeg"), 1);
    // Of luma and of chroma, DC and AC.
    expect(codeTable).toHaveBeenCalledTimes(4);
    expect(skipTable).toHaveBeenCalledTimes(2);
  });

  test("one of too many codes counts no sooner, as in libjpeg", async () => {
    const file = goldenFile("baseline-444.jpeg");
    const unused = withDefinitions(file, START, [definition(0x00, 3), definition(0x13, 3)]);
    expect(reduced(unused, 1)).toEqual(await libjpeg(unused, 1));
    const selected = withDefinitions(file, firstScan(file), [definition(0x00, 3)]);
    expect(() => reduced(selected, 1)).toThrow("too many codes");
    await expect(libjpeg(selected, 1)).rejects.toThrow("gave up");
  });
});

describe("classes and numbers of tables, as in libjpeg", () => {
  test.each([
    [0x00, true],
    [0x03, true],
    [0x04, false],
    [0x0f, false],
    [0x10, true],
    [0x13, true],
    [0x14, false],
    [0x20, false],
    [0x30, false],
    [0xf3, false],
  ])("%i: accepted %s", async (destination, accepted) => {
    const plain = goldenFile("baseline-444.jpeg");
    const file = withDefinitions(plain, START, [definition(destination)]);
    if (accepted) {
      expect(reduced(file, 1)).toEqual(reduced(plain, 1));
      expect(await libjpeg(file, 1)).toEqual(await libjpeg(plain, 1));
    } else {
      expect(() => reduced(file, 1)).toThrow(expect.objectContaining({ code: "undecodable-image" }));
      await expect(libjpeg(file, 1)).rejects.toThrow("gave up");
    }
  });
});
