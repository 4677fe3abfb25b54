/** A body on its way into memory, while the isolate has no room for it. */
import { expect, test, vi } from "vitest";
import { readBody } from "../../src/source/body.ts";

test("a body that waits for room takes none, its first buffer included", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const hold = vi.fn(() => promise);
  const buffers = vi.spyOn(globalThis, "ArrayBuffer");
  try {
    const body = readBody(new Blob(["a photo"]).stream(), { maxBytes: 1234, lease: { hold } });
    expect(hold.mock.calls).toEqual([[1234]]);
    expect(buffers.mock.calls).not.toContainEqual([1234]);
    resolve();
    expect(new TextDecoder().decode(await body)).toBe("a photo");
    expect(buffers.mock.calls).toContainEqual([1234]);
  } finally {
    buffers.mockRestore();
  }
});

test("the time for which the isolate has no room is not the sender's", async () => {
  const hold = () => new Promise<void>((resolve) => setTimeout(resolve, 60));
  // Its buffer grows twice.
  const stream = new Blob([new Uint8Array(200_000)]).stream();
  const photo = await readBody(stream, { maxBytes: 1_000_000, deadline: 100, lease: { hold } });
  expect(photo.length).toBe(200_000);
});
