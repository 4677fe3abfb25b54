import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CODECS, makeCodec } from "../../scripts/codecs.ts";

test.each(Object.keys(CODECS) as (keyof typeof CODECS)[])(
  "codecs/%s.wasm is the installed package's, with its memory imported",
  async (name) => {
    const file = readFileSync(new URL(`../../src/imaging/codecs/${name}.wasm`, import.meta.url));
    expect(Buffer.compare(file, await makeCodec(name))).toBe(0);
    const memories = WebAssembly.Module.imports(new WebAssembly.Module(file)).filter(({ kind }) => kind === "memory");
    expect(memories).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  },
);
