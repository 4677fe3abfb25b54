/** What a request did: its steps and their times, for the Server-Timing header and the data point. */
import type { ProblemCode } from "./errors.ts";

/** The steps that are told apart. Only `source` and `origin` wait for others; the rest is the CPU's. */
export const STEPS = ["source", "decode", "downscale", "encode", "origin"] as const;
export type StepName = (typeof STEPS)[number];

/** Runs one step of the work. */
export type Step = <T>(name: StepName, work: () => Promise<T>) => Promise<T>;

/** For work that nobody watches. */
export const unobserved: Step = (_, work) => work();

export class Observation {
  readonly #steps = new Map<StepName, number>();
  readonly #start = performance.now();
  /** Where the thumbnail came from. */
  tier: "edge" | "r2" | "computed" | undefined;
  /** Of the original, if it was read. */
  bytesIn = 0;
  problem: ProblemCode | undefined;

  /** Times of steps of the same name add up. */
  readonly step: Step = async (name, work) => {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#steps.set(name, this.millisecondsOf(name) + performance.now() - start);
    }
  };

  /**
   * 0 for what did not happen and for what cannot be known: on Cloudflare the clock stands still while the CPU works and
   * goes on with the next I/O, so that there the steps of the CPU take no time.
   */
  millisecondsOf(name: StepName): number {
    return this.#steps.get(name) ?? 0;
  }

  total(): number {
    return performance.now() - this.#start;
  }

  /** The value of `Server-Timing` (W3C). What cannot be known is left out. */
  serverTiming(): string {
    const times: [string, number][] = [
      ...STEPS.map((name): [string, number] => [name, this.millisecondsOf(name)]),
      ["total", this.total()],
    ];
    return [
      ...(this.tier ? [`cache;desc=${this.tier}`] : []),
      ...times.filter(([, ms]) => ms > 0).map(([name, ms]) => `${name};dur=${ms.toFixed(1)}`),
    ].join(", ");
  }
}
