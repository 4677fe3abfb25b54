/** The photos that a command line names: files, folders (with their folders) and URLs. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join, relative, sep } from "node:path";
import { text } from "node:stream/consumers";
import { UsageError } from "./command.ts";

export interface Photo {
  /** Where its results go: the path below the folder that was named, or the file's name; `/` between folders. */
  readonly name: string;
  /** As it was named, for messages. */
  readonly from: string;
  /** @throws Error */
  readonly read: () => Promise<Uint8Array<ArrayBuffer>>;
}

/** Of files in folders. Files named one by one are tried whatever they are called. */
const EXTENSIONS = new Set([".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"]);

/** What a source may be at most; a machine has more room than the service's isolate. */
const MAX_BYTES = 64 * 2 ** 20;
const TIMEOUT_MS = 30_000;

/** Characters of a query in a name; a file's name has at most 255 bytes, and a presigned URL's query many more. */
const MAX_QUERY = 64;

/**
 * @param listed more of them, of a list. There may be many, from many places: files and URLs have their whole path in their name.
 * @param keyOf what a photo's name becomes where its results go.
 * @throws UsageError if there is none, or two would be given the same name.
 */
export async function findPhotos(
  named: readonly string[],
  listed: readonly string[] = [],
  keyOf: (name: string) => string = stem,
): Promise<Photo[]> {
  if (named.length + listed.length === 0) {
    throw new UsageError("Expected files, folders or URLs of photos, but got none.");
  }
  const found: Photo[][] = [];
  for (const text of named) found.push(await find(text, false));
  for (const text of listed) found.push(await find(text, true));
  const photos = found.flat();
  if (photos.length === 0) {
    throw new UsageError(`There is no photo (${[...EXTENSIONS].join(" ")}) in ${[...named, ...listed].join(", ")}.`);
  }
  const seen = new Map<string, Photo>();
  for (const photo of photos) {
    const key = keyOf(photo.name);
    const other = seen.get(key);
    if (other) {
      throw new UsageError(
        `${other.from} and ${photo.from} would both be called "${key}"; name the folder above them, or rename one.`,
      );
    }
    seen.set(key, photo);
  }
  return photos;
}

/** Without the extension. */
export function stem(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}

/** The lines of a file, or of the standard input if it is called "-". @throws UsageError */
export async function readList(file: string): Promise<string[]> {
  const lines = await (file === "-" ? text(process.stdin) : readFile(file, "utf8")).catch(() => {
    throw new UsageError(`There is no list "${file}".`);
  });
  return lines.split(/\r?\n/).filter((line) => line.trim() !== "");
}

async function find(named: string, whole: boolean): Promise<Photo[]> {
  if (/^https?:\/\//i.test(named)) {
    if (!URL.canParse(named)) throw new UsageError(`Expected a URL, but got "${named}".`);
    return [{ name: nameOf(new URL(named), whole), from: named, read: () => download(named) }];
  }
  const found = await stat(named).catch(() => {
    throw new UsageError(`There is no file or folder "${named}".`);
  });
  if (!found.isDirectory()) {
    const name = whole ? join("/", named).slice(1).split(sep).join("/") : basename(named);
    return [{ name, from: named, read: () => readFile(named) }];
  }
  const entries = await readdir(named, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && EXTENSIONS.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({
      name: relative(named, file).split(sep).join("/"),
      from: file,
      read: () => readFile(file),
    }));
}

/** @param whole with host, path and query. */
function nameOf({ hostname, pathname, search }: URL, whole: boolean): string {
  if (!whole) return pathname.split("/").findLast(Boolean) ?? hostname;
  const legible = search.replaceAll(/[^\w-]+/g, "_");
  const query =
    legible.length > MAX_QUERY ? `_${createHash("sha256").update(search).digest("hex").slice(0, 32)}` : legible;
  return `${hostname}${stem(pathname)}${query}${extname(pathname)}`;
}

async function download(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok || !response.body) throw new Error(`${new URL(url).host} answered ${response.status}.`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`The file is larger than ${MAX_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
