/**
 * A tar as WebDataset reads it (https://github.com/webdataset/webdataset): samples are told apart by their folder and the file's
 * name up to its first dot, and sorted into classes by the folder.
 */
import { basename, dirname, join } from "node:path/posix";
import { packTar } from "modern-tar";
import { encoders } from "../imaging/encode.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import type { Records } from "./growing-file.ts";
import { stem } from "./photos.ts";

/** Two empty blocks, as POSIX wants them. */
const END = new Uint8Array(1024);

/** The sample's key; the folder's name is its label and keeps its dots. */
function sampleKey(photo: string): string {
  const name = stem(photo);
  return join(dirname(name), basename(name).replaceAll(".", "_"));
}

export const tar = {
  extension: ".tar",
  keyOf: sampleKey,
  records: ({ format }: ThumbnailSpec): Records => ({
    begin: new Uint8Array(),
    async record(photo, thumbnail) {
      const name = `${sampleKey(photo)}.${encoders[format].extension}`;
      const header = { name, size: thumbnail.length, mtime: new Date(0), mode: 0o644 };
      const archive = await packTar([{ header, body: thumbnail }]);
      return archive.subarray(0, -END.length);
    },
    finish: () => ({ begin: new Uint8Array(), end: END }),
  }),
};
