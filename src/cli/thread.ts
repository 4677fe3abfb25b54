/** A worker thread that makes thumbnails, with its own codecs and downscalers. */
import { parentPort } from "node:worker_threads";
import { type EncodedThumbnail, makeThumbnail, type Runtime, type ThumbnailSpec } from "../pipeline.ts";
import { nodeRuntime, wholePhotos } from "../runtime/node.ts";
import { messageOf } from "./command.ts";

export interface ThreadJob {
  readonly photo: Uint8Array<ArrayBuffer>;
  /** One thumbnail of each. */
  readonly specs: readonly ThumbnailSpec[];
}

export type ThreadReply = { readonly thumbnails: readonly EncodedThumbnail[] } | { readonly error: string };

const runtime = pictures();

/** Thumbnails, and whole photos for the teacher. */
async function pictures(): Promise<Runtime> {
  const [thumbnails, whole] = await Promise.all([nodeRuntime(), wholePhotos()]);
  return { ...thumbnails, downscalers: [...thumbnails.downscalers, ...whole] };
}

parentPort?.on("message", async ({ photo, specs }: ThreadJob) => {
  parentPort?.postMessage(await answer(photo, specs));
});

async function answer(photo: Uint8Array, specs: readonly ThumbnailSpec[]): Promise<ThreadReply> {
  try {
    const thumbnails: EncodedThumbnail[] = [];
    for (const spec of specs) thumbnails.push(await makeThumbnail(photo, spec, await runtime));
    return { thumbnails };
  } catch (error) {
    return { error: messageOf(error) };
  }
}
