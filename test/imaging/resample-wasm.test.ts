import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import wabt from "wabt";

const read = (name: string) => readFileSync(new URL(`../../src/imaging/${name}`, import.meta.url));

test("resample.wasm is what resample.wat says", async () => {
  const { parseWat } = await wabt();
  const module = parseWat("resample.wat", read("resample.wat").toString(), { simd: true });
  expect(new Uint8Array(module.toBinary({}).buffer)).toEqual(new Uint8Array(read("resample.wasm")));
});
