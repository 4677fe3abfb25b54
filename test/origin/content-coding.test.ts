import * as zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/oip/error.ts";
import { pack, preferredCoding, unpack } from "../../src/origin/content-coding.ts";

const MESSAGE = Buffer.from("x".repeat(5000));
const free = () => {};

describe("bodies are unpacked within the limit", () => {
  test.each<[string, Buffer, string | undefined]>([
    ["no coding", MESSAGE, undefined],
    ["identity", MESSAGE, "identity"],
    ["gzip", zlib.gzipSync(MESSAGE), "gzip"],
    ["GZIP", zlib.gzipSync(MESSAGE), " GZIP "],
    ["deflate", zlib.deflateSync(MESSAGE), "deflate"],
  ])("%s", async (_, body, coding) => {
    expect(await unpack(body, coding, 5000, free)).toEqual(MESSAGE);
  });

  test.each<[string, Buffer, string, number]>([
    ["one byte over the limit", zlib.gzipSync(Buffer.concat([MESSAGE, Buffer.from("x")])), "gzip", 413],
    ["a bomb", zlib.gzipSync(Buffer.alloc(100_000_000)), "gzip", 413],
    ["brotli", zlib.brotliCompressSync(MESSAGE), "br", 415],
    ["two codings", MESSAGE, "gzip, deflate", 415],
    ["a name that every object has", MESSAGE, "constructor", 415],
    ["not gzip", MESSAGE, "gzip", 400],
    ["gzip cut short", zlib.gzipSync(MESSAGE).subarray(0, -10), "gzip", 400],
    ["deflate without its zlib header", zlib.deflateRawSync(MESSAGE), "deflate", 400],
  ])("%s", async (_, body, coding, status) => {
    await expect(unpack(body, coding, 5000, free)).rejects.toMatchObject({ status });
  });

  test.each([{ budget: 1_000_000 }, { budget: 100_000 }])(
    "what is unpacked is taken from a budget of $budget as it comes, not once all is there",
    async ({ budget }) => {
      let held = 0;
      const hold = (bytes: number) => {
        if (held + bytes > budget) throw new ProtocolError(503, "used up");
        held += bytes;
      };
      const unpacked = unpack(zlib.gzipSync(Buffer.alloc(1_000_000)), "gzip", 2_000_000, hold);
      if (budget === 1_000_000) expect((await unpacked).length).toBe(budget);
      else await expect(unpacked).rejects.toMatchObject({ status: 503 });
      expect(held).toBeGreaterThan(budget / 2);
    },
  );
});

describe("the client's preference decides the coding of the answer", () => {
  test.each([
    [undefined, undefined],
    ["", undefined],
    ["br", undefined],
    ["*", undefined],
    ["gzip", "gzip"],
    ["deflate", "deflate"],
    ["deflate, gzip", "gzip"],
    ["gzip;q=0, deflate;q=0.5", "deflate"],
    ["gzip;q=0.1, deflate;q=0.2", "deflate"],
    ["GZIP ; Q=1", "gzip"],
    ["gzip;q=x", undefined],
  ])("%j -> %s", (accept, coding) => {
    expect(preferredCoding(accept)).toBe(coding);
  });

  test.each<[string, (body: Uint8Array) => Buffer]>([
    ["gzip", zlib.gunzipSync],
    ["deflate", zlib.inflateSync],
  ])("a %s answer unpacks to the original", async (coding, open) => {
    const { body, headers } = await pack(MESSAGE, coding);
    expect(headers).toEqual({ "Content-Encoding": coding, Vary: "Accept-Encoding" });
    expect(open(body)).toEqual(MESSAGE);
  });

  test("an answer too small to gain from it is sent as it is", async () => {
    expect(await pack(MESSAGE.subarray(0, 1023), "gzip")).toEqual({ body: MESSAGE.subarray(0, 1023), headers: {} });
    expect((await pack(MESSAGE.subarray(0, 1024), "gzip")).headers).toHaveProperty("Content-Encoding", "gzip");
  });
});
