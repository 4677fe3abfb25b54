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

type Place = Pick<BatchAnswer, "index" | "source">;

/**
 * @param pathOf gives a source's own path. @throws TypeError if it is no source.
 * @param itemOf gives the item of a path.
 * @param send posts a body and gives the successful answer.
 */
export async function* requestBatch(
  sources: readonly Source[],
  pathOf: (source: Source) => string,
  itemOf: (path: string) => Promise<BatchItem>,
  send: (body: string) => Promise<Response>,
): AsyncGenerator<BatchAnswer, void> {
  for (let start = 0; start < sources.length; start += MAX_ITEMS) {
    const places: Place[] = [];
    const paths: string[] = [];
    for (const [at, source] of sources.slice(start, start + MAX_ITEMS).entries()) {
      const place = { index: start + at, source };
      const path = attempt(() => pathOf(source));
      if (path instanceof TypeError) yield { ...place, ok: false, problem: noSource(path) };
      else {
        places.push(place);
        paths.push(path);
      }
    }
    if (paths.length === 0) continue;
    // Signed only now, so that a short expiry counts from when they are sent.
    const items = await Promise.all(paths.map(itemOf));
    const { body } = await send(JSON.stringify({ items }));
    if (!body) throw new Error("The answer to the batch has no body.");
    let answers = 0;
    for await (const line of parseLines(body)) {
      answers += 1;
      yield answerOf(line, places);
    }
    if (answers < places.length)
      throw new Error(`The connection ended after ${answers} of ${places.length} answers of the batch.`);
  }
}

function attempt(make: () => string): string | TypeError {
  try {
    return make();
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

/** As the service would say it. */
function noSource({ message }: TypeError): ProblemError {
  const title = "The source is not valid";
  return new ProblemError({ type: "/problems/invalid-source", title, status: 400, detail: message });
}

function answerOf(line: unknown, places: readonly Place[]): BatchAnswer {
  const { index: at, status: _, ...answer } = line as { index: number; status: number } & Classification;
  const place = places[at];
  if (!place) throw new Error(`Expected an answer to one of ${places.length} items, but got item ${at}.`);
  return isDetails(line)
    ? { ...place, ok: false, problem: new ProblemError(line) }
    : { ...place, ok: true, classification: answer };
}
