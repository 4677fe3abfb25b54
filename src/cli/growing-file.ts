/**
 * One file of many records, which an interrupted run leaves fit to be gone on with.
 *
 * It grows as `<file>.part`. Beside it `<file>.journal` says with which options it was begun and, a line for each record, up to
 * which byte it is whole and which photo that was. When the last record is there, the part gets the file's name.
 */
import { appendFile, mkdir, open, readFile, rename, rm, truncate } from "node:fs/promises";
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

/** @throws UsageError if an interrupted run had other options. */
export async function openGrowing(file: string, records: Records, options: string, force: boolean): Promise<Output> {
  const [part, journal] = [`${file}.part`, `${file}.journal`];
  await mkdir(dirname(file), { recursive: true });
  const [begun, ...lines] = force ? [] : (await readFile(journal, "utf8").catch(() => "")).split("\n").slice(0, -1);
  if (begun !== undefined && begun !== options) {
    throw new UsageError(
      `${file} was begun with ${begun}, not ${options}. Use those options, or --force to begin anew.`,
    );
  }
  const entries: Entry[] = lines.map((line) => ({
    end: Number.parseInt(line, 10),
    photo: line.slice(line.indexOf(" ") + 1),
  }));
  let end = entries.at(-1)?.end ?? records.begin.length;
  const known = new Set(entries.map(({ photo }) => photo));
  if (begun === undefined) {
    await rm(part, { force: true });
    await rm(journal, { force: true });
    await appendFile(part, records.begin);
    await appendFile(journal, `${options}\n`);
  } else await truncate(part, end);

  return {
    has: (photo) => known.has(photo),
    async write(photo, thumbnail) {
      const bytes = await records.record(photo, thumbnail);
      await appendFile(part, bytes);
      end += bytes.length;
      await appendFile(journal, `${end} ${photo}\n`);
      entries.push({ photo, end });
    },
    async close(complete) {
      if (!complete) return;
      const last = records.finish(entries.length);
      await appendFile(part, last.end);
      const handle = await open(part, "r+");
      await handle.write(last.begin, 0, last.begin.length, 0);
      await handle.close();
      if (records.index) {
        const { extension, render } = records.index;
        await writeIndex(file.replace(/\.\w+$/, extension), render(entries.map(({ photo }) => photo)));
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

async function writeIndex(file: string, text: string): Promise<void> {
  await rm(file, { force: true });
  await appendFile(file, text);
}
