/** Where thumbnails go: files in a folder, or one file for all of them. */
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { encoders } from "../imaging/encode.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import { canonicalOptions } from "../request/options.ts";
import { openGrowing, type Records } from "./growing-file.ts";
import { parquet } from "./output-parquet.ts";
import { stack } from "./output-stack.ts";
import { tar } from "./output-tar.ts";
import { stem } from "./photos.ts";

export interface Output {
  /** Is the photo's thumbnail there from an earlier run. */
  has(photo: string): boolean;
  write(photo: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** @param complete whether nothing is missing that a later run would make. */
  close(complete: boolean): Promise<void>;
}

/** A kind of file that holds all thumbnails. */
interface Kind {
  readonly extension: string;
  records(spec: ThumbnailSpec): Records;
  /** What it calls a photo; without it, the photo's name without extension. */
  readonly keyOf?: (photo: string) => string;
}

const KINDS: readonly Kind[] = [tar, stack, parquet];
const kindOf = (output: string) => KINDS.find(({ extension }) => output.endsWith(extension));

/** What a photo is called in an output; no two may be called the same. */
export const keyOf = (output: string): ((photo: string) => string) => kindOf(output)?.keyOf ?? stem;

/** A folder, or by the name's end one of these files. @param force whether what is there counts as missing. */
export async function openOutput(output: string, spec: ThumbnailSpec, force: boolean): Promise<Output> {
  const kind = kindOf(output);
  if (!kind) return openFolder(output, spec, force);
  return openGrowing(output, kind.records(spec), canonicalOptions({ ...spec }), force);
}

async function openFolder(folder: string, { format }: ThumbnailSpec, force: boolean): Promise<Output> {
  await mkdir(folder, { recursive: true });
  const fileOf = (photo: string) => join(folder, `${stem(photo)}.${encoders[format].extension}`);
  return {
    has: (photo) => !force && existsSync(fileOf(photo)),
    async write(photo, bytes) {
      const file = fileOf(photo);
      await mkdir(dirname(file), { recursive: true });
      // Renamed when it is whole, so that what an interrupted run leaves is not taken for a thumbnail.
      await writeFile(`${file}.part`, bytes);
      await rename(`${file}.part`, file);
    },
    async close() {},
  };
}
