/**
 * Negative caching: a source that just failed is not asked again for a moment, however many ask us.
 *
 * Kept in the isolate's memory: a short list of short-lived entries is not worth a network hop.
 */
import { Problem } from "../errors.ts";

/** Some 200 bytes each, and 3 KB with the longest source: 6 MB at most. */
const MAX_ENTRIES = 2000;

export class RecentFailures {
  readonly #failures = new Map<string, { problem: Problem; end: number }>();

  /** Runs `work`, unless `source` failed less than `seconds` ago: then that failure is thrown again. */
  async guard<T>(source: string, seconds: number, work: () => Promise<T>): Promise<T> {
    const failure = this.#failures.get(source);
    if (failure && Date.now() < failure.end) throw failure.problem;
    this.#failures.delete(source);
    try {
      return await work();
    } catch (error) {
      if (error instanceof Problem && error.row.ofSource) this.#add(source, error, seconds);
      throw error;
    }
  }

  #add(source: string, problem: Problem, seconds: number): void {
    const [oldest] = this.#failures.keys();
    if (this.#failures.size >= MAX_ENTRIES && oldest !== undefined) this.#failures.delete(oldest);
    this.#failures.set(source, { problem, end: Date.now() + seconds * 1000 });
  }
}
