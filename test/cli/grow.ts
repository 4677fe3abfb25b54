/**
 * Lets a file grow by records of chosen sizes: `node grow.ts <file> <"complete" or "stopped"> <JSON of [photo, bytes][]>`.
 *
 * A process of its own, so that the system can be told to let it write no more than so much. Prints the photos that were there
 * already, and those that could not be written.
 */
import { openGrowing, type Records } from "../../src/cli/growing-file.ts";

const records: Records = {
  begin: Buffer.from("begun"),
  record: (photo, { length }) => Buffer.alloc(length, photo),
  finish: (count) => ({ begin: Buffer.from(`of ${count}:`), end: Buffer.from(".") }),
};

const [file = "", ending, photos = "[]"] = process.argv.slice(2);
const there: string[] = [];
const failed: string[] = [];
const output = await openGrowing(file, records, "options", false);
for (const [photo, length] of JSON.parse(photos) as [string, number][]) {
  if (output.has(photo)) there.push(photo);
  else await output.write(photo, new Uint8Array(length)).catch(() => failed.push(photo));
}
await output.close(ending === "complete");
console.log(JSON.stringify({ there, failed }));
