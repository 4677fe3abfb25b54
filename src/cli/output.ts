/** Where thumbnails go: files in a folder, or samples in one tar. */
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createTarPacker } from "modern-tar";
import { encoders, type OutputFormat } from "../imaging/encode.ts";
import { stem } from "./photos.ts";

export interface Output {
  /** Is the photo's thumbnail there from an earlier run. */
  has(photo: string, format: OutputFormat): boolean;
  write(photo: string, format: OutputFormat, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
}

const fileOf = (photo: string, format: OutputFormat) => `${stem(photo)}.${encoders[format].extension}`;

/** @param force whether thumbnails that are there count as missing. */
export async function openFolder(folder: string, force: boolean): Promise<Output> {
  await mkdir(folder, { recursive: true });
  return {
    has: (photo, format) => !force && existsSync(join(folder, fileOf(photo, format))),
    async write(photo, format, bytes) {
      const file = join(folder, fileOf(photo, format));
      await mkdir(dirname(file), { recursive: true });
      // Renamed when it is whole, so that what an interrupted run leaves is not taken for a thumbnail.
      await writeFile(`${file}.part`, bytes);
      await rename(`${file}.part`, file);
    },
    async close() {},
  };
}

/**
 * A WebDataset: samples are told apart by the name up to its first dot and sorted into classes by the folder in it
 * (https://github.com/webdataset/webdataset). Written under another name until it is whole.
 */
export async function openTar(file: string): Promise<Output> {
  const { readable, controller } = createTarPacker();
  await mkdir(dirname(file), { recursive: true });
  const written = pipeline(Readable.fromWeb(readable as never), createWriteStream(`${file}.part`));
  // What it throws is thrown by `close`.
  written.catch(() => {});
  return {
    has: () => false,
    async write(photo, format, bytes) {
      const name = `${stem(photo).replaceAll(".", "_")}.${encoders[format].extension}`;
      const writer = controller.add({ name, size: bytes.length, mtime: new Date(0), mode: 0o644 }).getWriter();
      await writer.write(bytes);
      await writer.close();
    },
    async close() {
      controller.finalize();
      await written;
      await rename(`${file}.part`, file);
    },
  };
}
