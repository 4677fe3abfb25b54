/** The photo's bytes on the way through the pipeline. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { StepName } from "../../src/observation.ts";
import { releasedOnceDecoded, withPhotoBytes } from "../../src/overload/isolate.ts";
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

describe("what a request holds that never ends", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A turn at the decoder, two caches, an origin, and the wait for the next turn. */
  const LONGEST = 94_000;
  /** That a request waits for room. */
  const PATIENCE = 10_000;

  it.each([
    {
      what: "counts as long as any request can hold it between two grants",
      after: LONGEST - PATIENCE - 1,
      counts: true,
    },
    { what: "is given back then", after: LONGEST, counts: false },
  ])("$what", async ({ after, counts }) => {
    vi.useFakeTimers();
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = withPhotoBytes(async (lease) => {
      await lease.hold(20e6);
      await promise;
    });
    await vi.advanceTimersByTimeAsync(after);
    const next = withPhotoBytes((lease) => lease.hold(20e6)).then(
      () => "granted",
      ({ code }) => code,
    );
    await vi.advanceTimersByTimeAsync(counts ? PATIENCE : 0);
    expect(await next).toBe(counts ? "overloaded" : "granted");
    resolve();
    await held;
  });
});
