/** The pipeline's refusals as the client's error class, so that callers tell both apart by the same `code`. */
import { ProblemError } from "../client/problem-error.ts";
import { Problem } from "../errors.ts";

export function asProblemError(error: unknown): unknown {
  return error instanceof Problem ? new ProblemError(error.toJSON()) : error;
}
