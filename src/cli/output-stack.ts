/**
 * All thumbnails as one array: an npy file of uint8 (photos, size, size, 3), which `numpy.load(..., mmap_mode="r")` opens without
 * reading it, and beside it the photos' names as JSON, in the same order.
 */
import { decodeNpy, npyHeader } from "../imaging/npy.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import type { Records } from "./growing-file.ts";

export const stack = {
  extension: ".npy",
  records: ({ size }: ThumbnailSpec): Records => ({
    begin: npyHeader([0, size, size, 3]),
    record: (_, thumbnail) => decodeNpy(thumbnail).data,
    finish: (count) => ({ begin: npyHeader([count, size, size, 3]), end: new Uint8Array() }),
    index: { extension: ".json", render: (photos) => `${JSON.stringify(photos, null, 1)}\n` },
  }),
};
