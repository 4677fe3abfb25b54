import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { cli } from "../cli/run.ts";
import { executable, hasPython } from "./python.ts";

/** As data frames are read in docs/pytorch.md; prints the schema, then each row with its thumbnail's hash. */
const READ = `
import hashlib, json, sys
import pyarrow.parquet as parquet
table = parquet.read_table(sys.argv[1])
print(json.dumps({field.name: [str(field.type), field.nullable] for field in table.schema}))
for row in table.to_pylist():
    print(json.dumps(row | {"bytes": hashlib.sha256(row["bytes"]).hexdigest()}))
`;

const folder = mkdtempSync(join(tmpdir(), "parquet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasPython)("Apache Arrow reads the thumbnails of a Parquet file", () => {
  test.each(["png", "webp", "npy"])("%s", async (format) => {
    for (const output of [`${format}.parquet`, `${format}/`]) {
      // With several jobs rows would stand in the order in which photos are done.
      const made = await cli([
        "thumbnail",
        "examples/photos",
        "-o",
        join(folder, output),
        "--format",
        format,
        "--jobs",
        "1",
      ]);
      expect(made.code, made.stderr).toBe(0);
    }
    const { stdout } = await promisify(execFile)(executable("clients", "python"), [
      "-c",
      READ,
      join(folder, `${format}.parquet`),
    ]);
    const [schema, ...rows] = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(schema).toEqual({
      name: ["string", false],
      label: ["string", true],
      width: ["int32", false],
      height: ["int32", false],
      format: ["string", false],
      bytes: ["binary", false],
    });
    const files = readdirSync(join(folder, format)).sort();
    expect(files).toHaveLength(3);
    expect(rows).toEqual(
      files.map((file) => ({
        name: file.replace(/\.\w+$/, ".jpg"),
        label: null,
        width: 56,
        height: 56,
        format,
        bytes: createHash("sha256")
          .update(readFileSync(join(folder, format, file)))
          .digest("hex"),
      })),
    );
  });
});
