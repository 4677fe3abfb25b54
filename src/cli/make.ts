/** Thumbnails of many photos on all cores. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { EncodedThumbnail, ThumbnailSpec } from "../pipeline.ts";
import { type Line, messageOf, wholeNumber } from "./command.ts";
import type { Photo } from "./photos.ts";
import { showProgress } from "./progress.ts";
import type { ThreadJob, ThreadReply } from "./thread.ts";

/** The package has `.js` where the repository has `.ts`. */
const THREAD = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

export interface Made {
  readonly photo: Photo;
  /** Of the original. */
  readonly bytes: number;
  /** In the order of the specs. */
  readonly thumbnails: readonly EncodedThumbnail[];
}

export const JOBS_OPTION = {
  jobs: { type: "string", short: "j", value: "number", help: "Photos at once; as many as there are cores if absent." },
} as const;

export function jobsOf({ values }: Line): number {
  return values.jobs === undefined ? availableParallelism() : wholeNumber("jobs", values.jobs, 1, 256);
}

/**
 * Makes thumbnails of each photo and hands them to `use`, one photo after the other but in any order. Says on stderr how far
 * it is, and what could not be made and why.
 *
 * @returns how many photos failed.
 */
export async function makeThumbnails(
  photos: readonly Photo[],
  specs: readonly ThumbnailSpec[],
  jobs: number,
  use: (made: Made) => void | Promise<void>,
): Promise<number> {
  const progress = showProgress(photos.length);
  const queue = photos.values();
  let used: Promise<void> = Promise.resolve();
  let failed = 0;

  async function work(): Promise<void> {
    let worker = new Worker(THREAD);
    try {
      for (const photo of queue) {
        try {
          const bytes = await photo.read();
          const made = { photo, bytes: bytes.length, thumbnails: await ask(worker, { photo: bytes, specs }) };
          const done = used.then(() => use(made));
          used = done.catch(() => {}); // what fails with one photo is no fault of the next
          await done;
        } catch (error) {
          if (worker.threadId === -1) worker = new Worker(THREAD); // this photo ended it, and others wait
          failed += 1;
          progress.say(`${photo.from}: ${messageOf(error)}`);
        }
        progress.step();
      }
    } finally {
      await worker.terminate();
    }
  }

  await Promise.all(Array.from({ length: Math.min(jobs, photos.length) }, work));
  progress.end();
  return failed;
}

async function ask(worker: Worker, job: ThreadJob): Promise<readonly EncodedThumbnail[]> {
  worker.postMessage(job);
  // A thread that dies emits "error", which `once` throws, and only then ends.
  const [reply] = (await once(worker, "message").catch(async (error) => {
    await worker.terminate();
    throw error;
  })) as [ThreadReply];
  if ("error" in reply) throw new Error(reply.error);
  return reply.thumbnails;
}
