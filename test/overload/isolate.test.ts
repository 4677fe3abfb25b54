/** The photo's bytes on the way through the pipeline. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { StepName } from "../../src/observation.ts";
import { releasedOnceDecoded } from "../../src/overload/isolate.ts";
import { makeThumbnail } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { SEEDS } from "../worker/mutate.ts";

const runtime = await nodeRuntime();
const spec = { size: 56, format: "png" } as const;

it("releases the bytes of every format before the downscaler runs, and changes no thumbnail", async () => {
  for (const file of SEEDS) {
    const photo = file.slice();
    const held: Partial<Record<StepName, number>> = {};
    const step = releasedOnceDecoded(photo, (name, work) => {
      held[name] = photo.length;
      return work();
    });
    const thumbnail = await makeThumbnail(photo, spec, runtime, step);
    expect(held).toEqual({ decode: file.length, downscale: 0, encode: 0 });
    expect(thumbnail).toEqual(await makeThumbnail(file, spec, runtime));
  }
});

it("leaves the bytes of a photo that cannot be decoded to whoever reports it", async () => {
  const photo = new Uint8Array(readFileSync("examples/photos/church.jpg")).slice(0, 2000);
  const step = releasedOnceDecoded(photo, (_, work) => work());
  await expect(makeThumbnail(photo, spec, runtime, step)).rejects.toMatchObject({ code: "undecodable-image" });
  expect(photo.length).toBe(2000);
});
