/** `thumbnet-edge backfill`: thumbnails of a bucket that was there before the service, by the service's own queue. */
import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ProblemError, problemOf } from "../client/problem-error.ts";
import { type BackfillPage, backfillPage, MAX_PAGE } from "../queue/page.ts";
import { type Command, type Line, messageOf, UsageError, wholeNumber } from "./command.ts";
import { showProgress } from "./progress.ts";

const CURSOR_FILE = ".thumbnet-backfill.json";
const TIMEOUT_MS = 60_000;
/** Milliseconds before a page that failed is asked for again. */
const PAUSES = [1000, 2000, 4000, 8000];

/** Where a backfill is. Written after each page, so that at most one page is enqueued twice; that does no work twice. */
const place = z.object({ service: z.string(), prefix: z.string(), cursor: z.string(), enqueued: z.number() });
type Place = z.infer<typeof place>;

export const backfill: Command = {
  summary: "Has a service make thumbnails of all originals in its bucket.",
  usage: "<service URL> [--prefix <prefix>]",
  details: `The service puts the keys of its bucket of originals onto its queue, page by page, and makes the thumbnails that its variable
PREGENERATE names as the queue delivers them. After an interruption the same command goes on where it was. The owner's key
comes from the environment: OWNER_KEY, as the service has it.`,
  options: {
    prefix: { type: "string", short: "p", value: "prefix", help: "Only keys that start so." },
    page: { type: "string", value: "number", help: `Keys a request; ${MAX_PAGE} if absent.` },
    "cursor-file": { type: "string", value: "file", help: `Keeps where it is; ${CURSOR_FILE} if absent.` },
  },
  async run(line) {
    const { service, ownerKey, prefix, limit, file } = readLine(line);
    let at = await readPlace(file, service, prefix);
    if (at) console.log(`Going on after ${at.enqueued} keys, as ${file} says.`);
    const progress = showProgress(null);
    progress.step(at?.enqueued ?? 0);
    let enqueued = at?.enqueued ?? 0;
    try {
      for (;;) {
        const page = await askForPage(service, ownerKey, { prefix, limit, cursor: at?.cursor });
        enqueued += page.enqueued;
        progress.step(page.enqueued);
        if (page.cursor === null) break;
        at = { service, prefix, cursor: page.cursor, enqueued };
        await writePlace(file, at);
      }
    } catch (error) {
      const next = at ? ` Run the same command again to go on after ${at.enqueued} keys.` : "";
      throw new Error(`${messageOf(error)}${next}`, { cause: error });
    } finally {
      progress.end();
    }
    await rm(file, { force: true });
    console.log(`${enqueued} keys are on the queue of ${service}.`);
    return 0;
  },
};

function readLine({ positionals, values }: Line) {
  const [service, ...more] = positionals;
  const url = service === undefined ? null : URL.parse(service);
  if (!url || !/^https?:$/.test(url.protocol) || more.length) {
    throw new UsageError("Expected the service's URL, e.g. https://thumbnails.example.com.");
  }
  const ownerKey = process.env.OWNER_KEY;
  if (!ownerKey) throw new UsageError("There is no owner's key. Set OWNER_KEY to what the service has.");
  const limit = values.page === undefined ? MAX_PAGE : wholeNumber("page", values.page, 1, MAX_PAGE);
  const file = values["cursor-file"] ?? CURSOR_FILE;
  return { service: url.href.replace(/\/+$/, ""), ownerKey, prefix: values.prefix ?? "", limit, file };
}

interface PageQuery {
  readonly prefix: string;
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** Asks again where the moment is at fault. @throws Error with the last reason. */
async function askForPage(service: string, ownerKey: string, query: PageQuery): Promise<BackfillPage> {
  for (const pause of PAUSES) {
    try {
      return await requestPage(service, ownerKey, query);
    } catch (error) {
      if (error instanceof ProblemError && error.status < 500 && error.status !== 429) throw error;
      await sleep(pause);
    }
  }
  return requestPage(service, ownerKey, query);
}

async function requestPage(service: string, ownerKey: string, { prefix, limit, cursor }: PageQuery) {
  const query = new URLSearchParams({ prefix, limit: String(limit), ...(cursor && { cursor }) });
  const response = await fetch(`${service}/backfill?${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${ownerKey}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new Error(`${service} cannot be reached. Is the service running, and the address right?`, { cause: error });
  });
  if (!response.ok) throw await problemOf(response);
  return backfillPage.parse(await response.json());
}

/** @throws UsageError if the file is another backfill's. */
async function readPlace(file: string, service: string, prefix: string): Promise<Place | undefined> {
  if (!existsSync(file)) return undefined;
  const read = place.safeParse(
    await readFile(file, "utf8")
      .then(JSON.parse)
      .catch(() => undefined),
  );
  if (!read.success) throw new UsageError(`${file} is not what a backfill wrote. Name another file, or remove it.`);
  if (read.data.service === service && read.data.prefix === prefix) return read.data;
  throw new UsageError(
    `${file} is of the backfill of ${read.data.service} with the prefix "${read.data.prefix}". Finish that one, name another --cursor-file, or remove it.`,
  );
}

/** Whole or not at all, whenever it is interrupted. */
async function writePlace(file: string, at: Place): Promise<void> {
  await writeFile(`${file}.part`, JSON.stringify(at));
  await rename(`${file}.part`, file);
}
