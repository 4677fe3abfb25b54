/** `POST /batch`: many sources, answered one by one. */
import { parseLines } from "./lines.ts";
import { isDetails, ProblemError } from "./problem-error.ts";
import type { Classification, Source } from "./types.ts";

/** The most that the service takes in one request; larger batches are sent in several, one after the other. */
export const MAX_ITEMS = 100;

export interface BatchItem {
  readonly source: string;
  readonly options: string;
}

/** `index` counts the sources as they were given. */
export type BatchAnswer = { readonly index: number; readonly source: Source } & (
  | { readonly ok: true; readonly classification: Classification }
  | { readonly ok: false; readonly problem: ProblemError }
);

/**
 * @param itemOf gives a source's item.
 * @param send posts a body and gives the successful answer.
 */
export async function* requestBatch(
  sources: readonly Source[],
  itemOf: (source: Source) => Promise<BatchItem>,
  send: (body: string) => Promise<Response>,
): AsyncGenerator<BatchAnswer, void> {
  for (let start = 0; start < sources.length; start += MAX_ITEMS) {
    const part = sources.slice(start, start + MAX_ITEMS);
    // Signed only now, so that a short expiry counts from when they are sent.
    const items = await Promise.all(part.map(itemOf));
    const { body } = await send(JSON.stringify({ items }));
    if (!body) throw new Error("The answer to the batch has no body.");
    let answers = 0;
    for await (const line of parseLines(body)) {
      answers += 1;
      yield answerOf(line, part, start);
    }
    if (answers < part.length)
      throw new Error(`The connection ended after ${answers} of ${part.length} answers of the batch.`);
  }
}

function answerOf(line: unknown, part: readonly Source[], start: number): BatchAnswer {
  const { index: at, status: _, ...answer } = line as { index: number; status: number } & Classification;
  const source = part[at];
  if (source === undefined) throw new Error(`Expected an answer to one of ${part.length} items, but got item ${at}.`);
  const place = { index: start + at, source };
  return isDetails(line)
    ? { ...place, ok: false, problem: new ProblemError(line) }
    : { ...place, ok: true, classification: answer };
}
