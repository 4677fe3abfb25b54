/** Groups of rows, which bound what is in memory, on a part as an earlier run left it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Entry } from "../../src/cli/growing-file.ts";
import { parquet, ROW_GROUP } from "../../src/cli/output-parquet.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parquet-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const records = parquet.records({ size: 56, format: "png" });

/** Thumbnails of 0, 1, 2, ... bytes, which are their own number. */
async function pack(count: number, missing = 0) {
  const part = join(folder, "set.part");
  const entries: Entry[] = [];
  const chunks = Array.from({ length: count }, (_, i) => new Uint8Array(i % 300).fill(i));
  let end = 0;
  for (const [i, chunk] of chunks.entries()) {
    end += chunk.length;
    entries.push({ photo: `ö/${i}.jpg`, end });
  }
  writeFileSync(part, Buffer.concat(chunks).subarray(0, end - missing));
  await records.pack?.(part, entries, join(folder, "set.parquet"));
  const file = await asyncBufferFromFile(join(folder, "set.parquet"));
  const { row_groups: groups } = await parquetMetadataAsync(file);
  return {
    groups: groups.map(({ num_rows: rows }) => Number(rows)),
    rows: await parquetReadObjects({ file, utf8: false }),
    chunks,
  };
}

test.each([
  { count: 0, groups: [0] },
  { count: 1, groups: [1] },
  { count: ROW_GROUP, groups: [ROW_GROUP] },
  { count: ROW_GROUP + 1, groups: [ROW_GROUP, 1] },
])("$count thumbnails are the groups $groups, in their order", async ({ count, groups }) => {
  const packed = await pack(count);
  expect(packed.groups.filter((rows) => rows > 0)).toEqual(groups.filter((rows) => rows > 0));
  const rows = packed.chunks.map((bytes, i) => ({
    name: `ö/${i}.jpg`,
    label: "ö",
    width: 56,
    height: 56,
    format: "png",
    bytes,
  }));
  expect(packed.rows).toEqual(rows);
});

test("a part that is shorter than its journal says is no file", async () => {
  await expect(pack(10, 1)).rejects.toThrow(/ends before the thumbnail of ö\/9\.jpg/);
});
