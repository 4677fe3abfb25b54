/** Many photos in one request, answered line by line as each is done; what goes wrong with one is that line's own affair. */
import { z } from "zod";
import { asProblem, Problem } from "../errors.ts";

/** A request of the free plan may make 50 subrequests, of the paid ones 10,000; each item takes a few. */
export const MAX_ITEMS = 100;

/** The largest body: every item with a long URL. */
export const MAX_BATCH_BYTES = MAX_ITEMS * 4096;

/** A Worker keeps six connections that wait for headers. */
const AT_ONCE = 6;

/** The body of `POST /batch`. */
export const batchRequest = z.strictObject({
  items: z
    .array(
      z.strictObject({
        /** As after `/classify/<options>/`. */
        source: z.string().min(1),
        /** As in the path, with its signature where one is needed. */
        options: z.string().min(1).default("_"),
      }),
    )
    .min(1)
    .max(MAX_ITEMS),
});

export type BatchItem = z.infer<typeof batchRequest>["items"][number];

/** @throws Problem `invalid-request` with the place of each fault. */
export function parseBatch(body: Uint8Array): BatchItem[] {
  const result = batchRequest.safeParse(parseJson(body));
  if (result.success) return result.data.items;
  const faults = result.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new Problem("invalid-request", `${faults.join("; ")}.`);
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new Problem(
      "invalid-request",
      'Expected JSON like {"items": [{"source": "https://...", "options": "top=1"}]}.',
    );
  }
}

/** Lets at most `AT_ONCE` pieces of work run; further ones wait their turn. */
export function createTurns(atOnce = AT_ONCE): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((resolve) => queue.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

/**
 * NDJSON in order of completion: `{"index", "status": 200, ...}` or `{"index", ...problem}` a line.
 *
 * @param mount the path that the service is mounted at.
 * @param work gives one item's answer. Whatever it throws becomes the item's line, and is told to `onProblem`.
 */
export function streamBatch(
  items: readonly BatchItem[],
  mount: string,
  work: (item: BatchItem, index: number) => Promise<object>,
  onProblem: (problem: Problem, index: number) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let gone = false;
  return new ReadableStream({
    async start(controller) {
      const write = (line: object) => {
        if (!gone) controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
      };
      await Promise.all(
        items.map(async (item, index) => {
          try {
            write({ index, status: 200, ...(await work(item, index)) });
          } catch (error) {
            const problem = asProblem(error);
            onProblem(problem, index);
            write({ index, ...problem.toJSON(mount) });
          }
        }),
      );
      if (!gone) controller.close();
    },
    cancel() {
      gone = true;
    },
  });
}
