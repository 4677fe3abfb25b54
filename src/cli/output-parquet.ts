/**
 * A Parquet file (https://parquet.apache.org/docs/file-format/) with a row for each thumbnail, for data frames and pipelines
 * that read columns.
 *
 * Its end describes every group of rows, so it cannot be gone on with. Thumbnails are therefore gathered one behind the other,
 * and packed when the last of them is there, with one group of rows in memory at a time.
 */
import { open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileWriter, parquetWriteRows } from "hyparquet-writer";
import type { ThumbnailSpec } from "../pipeline.ts";
import type { Entry, Records } from "./growing-file.ts";

/** Rows; the largest thumbnails, npy of 112 pixels, are 38 MB of them. */
export const ROW_GROUP = 1000;

const NOTHING = new Uint8Array();

type Spec = Pick<ThumbnailSpec, "size" | "format">;

interface Row {
  /** The photo's, as it is called in the other outputs. */
  readonly name: string;
  /** The folder that the photo is in, if it has one. */
  readonly label: string | null;
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** The thumbnail's file. */
  readonly bytes: Uint8Array;
}

export const parquet = {
  extension: ".parquet",
  records: ({ size, format }: Spec): Records => ({
    begin: NOTHING,
    record: (_, thumbnail) => thumbnail,
    finish: () => ({ begin: NOTHING, end: NOTHING }),
    async pack(part, entries, file) {
      await parquetWriteRows({
        writer: fileWriter(file),
        rows: rowsOf(part, entries, { size, format }),
        columns: [
          { name: "name", type: "STRING", nullable: false },
          { name: "label", type: "STRING" },
          { name: "width", type: "INT32", nullable: false },
          { name: "height", type: "INT32", nullable: false },
          { name: "format", type: "STRING", nullable: false },
          // Compressed already, each another one and in no order: nothing is gained by what Parquet could do.
          {
            name: "bytes",
            type: "BYTE_ARRAY",
            nullable: false,
            encoding: "PLAIN",
            codec: "UNCOMPRESSED",
            statistics: false,
          },
        ],
        rowGroupSize: ROW_GROUP,
        createdBy: "thumbnet-edge",
      });
    },
  }),
};

async function* rowsOf(part: string, entries: readonly Entry[], { size, format }: Spec): AsyncGenerator<Row> {
  const file = await open(part);
  try {
    let start = 0;
    for (const { photo, end } of entries) {
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      if (bytesRead < bytes.length) throw new Error(`${part} ends before the thumbnail of ${photo}.`);
      const folder = basename(dirname(photo));
      yield { name: photo, label: folder === "." ? null : folder, width: size, height: size, format, bytes };
      start = end;
    }
  } finally {
    await file.close();
  }
}
