/** What failed, for the owner: clients are told no cause. */
import type { Problem } from "../errors.ts";

/** Writes a line for answers of 500 and above. @param where by which the answer can be found: `item` is a batch's. */
export function logFailure(problem: Problem, where: { readonly requestId: string; readonly item?: number }): void {
  if (problem.status < 500) return;
  console.error({ ...where, problem: problem.code, cause: String(problem.cause ?? problem.message) });
}
