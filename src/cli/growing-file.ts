/**
 * One file of many records, which an interrupted run leaves fit to be gone on with.
 *
 * It grows as `<file>.part`. Beside it `<file>.journal` says with which options it was begun and, a line for each record, up to
 * which byte it is whole and which photo that was. When the last record is there, the part gets the file's name.
 *
 * Both are written where what is known to be whole ends, and not at their own end: there may be what a failed write has left.
 */
import { constants, existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "./command.ts";
import type { Output } from "./output.ts";

/** A line of the journal: up to which byte the part has the photo's record. */
export interface Entry {
  readonly photo: string;
  readonly end: number;
}

/** How a kind of file is made of its records. */
export interface Records {
  readonly begin: Uint8Array;
  record(photo: string, thumbnail: Uint8Array<ArrayBuffer>): Uint8Array | Promise<Uint8Array>;
  /** What goes to the end, and what in the end stands in the place of `begin`. */
  finish(count: number): { readonly begin: Uint8Array; readonly end: Uint8Array };
  /** Makes the file of the part, for formats that cannot grow. */
  pack?(part: string, entries: readonly Entry[], file: string): Promise<void>;
  /** A second file, of the photos' names in the order of the records. */
  readonly index?: { readonly extension: string; render(photos: readonly string[]): string };
}

/** @throws UsageError if the file is finished, or an interrupted run had other options. */
export async function openGrowing(file: string, records: Records, options: string, force: boolean): Promise<Output> {
  const [part, journal] = [`${file}.part`, `${file}.journal`];
  await mkdir(dirname(file), { recursive: true });
  const [begun, ...lines] = force ? [] : (await readFile(journal, "utf8").catch(() => "")).split("\n").slice(0, -1);
  if (begun !== undefined && begun !== options) {
    throw new UsageError(
      `${file} was begun with ${begun}, not ${options}. Use those options, or --force to begin anew.`,
    );
  }
  if (begun === undefined && !force && existsSync(file)) {
    throw new UsageError(`${file} is finished already. Use another name, or --force to make it anew.`);
  }
  // The part is gone where a run was stopped between giving it the file's name and removing the journal.
  const flags = begun === undefined ? "w" : constants.O_RDWR | constants.O_CREAT;
  const [log, data] = [await open(journal, flags), await open(part, flags)];
  const { size } = await data.stat();
  // Without power the part may have lost what the journal has.
  const entries = lines.flatMap(readLine).filter((entry) => entry.end <= size);
  const known = new Set(entries.map(({ photo }) => photo));
  const logged = Buffer.from(`${options}\n${entries.map(lineOf).join("")}`);
  let end = entries.at(-1)?.end ?? records.begin.length;
  let logEnd = logged.length;
  await writeAt(data, records.begin, 0);
  await writeAt(log, logged, 0);
  await log.truncate(logEnd);

  return {
    has: (photo) => known.has(photo),
    async write(photo, thumbnail) {
      const bytes = await records.record(photo, thumbnail);
      const entry = { photo, end: end + bytes.length };
      const line = Buffer.from(lineOf(entry));
      await writeAt(data, bytes, end);
      await writeAt(log, line, logEnd);
      end = entry.end;
      logEnd += line.length;
      entries.push(entry);
    },
    async close(complete) {
      if (complete) {
        const last = records.finish(entries.length);
        await writeAt(data, last.end, end);
        await data.truncate(end + last.end.length);
        await writeAt(data, last.begin, 0);
      }
      await Promise.all([data.close(), log.close()]);
      if (!complete) return;
      if (records.index) {
        const { extension, render } = records.index;
        await writeFile(file.replace(/\.\w+$/, extension), render(entries.map(({ photo }) => photo)));
      }
      if (records.pack) {
        await records.pack(part, entries, `${file}.packed`);
        await rename(`${file}.packed`, file);
      } else await rename(part, file);
      await rm(journal);
      await rm(part, { force: true });
    },
  };
}

/** Quoted, as a file's name may have line breaks. */
const lineOf = ({ end, photo }: Entry) => `${end} ${JSON.stringify(photo)}\n`;

/** None of a line that is not whole, as a machine without power may leave it. */
function readLine(line: string): Entry[] {
  const [, end, photo] = /^(\d+) (".*")$/s.exec(line) ?? [];
  return end && photo ? [{ end: Number.parseInt(end, 10), photo: String(JSON.parse(photo)) }] : [];
}

/** All of it: a disk that fills up takes a part, and only what follows fails. */
async function writeAt(file: FileHandle, bytes: Uint8Array, start: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
  }
}
