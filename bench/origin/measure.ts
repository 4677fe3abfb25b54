/** Runs the load against servers in turn, several rounds within one run, and takes medians. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { median } from "../statistics.ts";
import type { LoadOptions, LoadResult } from "./load.ts";

const run = promisify(execFile);

export async function load(options: LoadOptions): Promise<LoadResult> {
  const { stdout } = await run(process.execPath, ["bench/origin/load.ts", JSON.stringify(options)]);
  const result: LoadResult = JSON.parse(stdout);
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} answers were not 200.`);
  return result;
}

/** Medians of what each candidate did over the rounds; the candidates take turns, so that the machine's moods hit all alike. */
export async function inTurns<Name extends string>(
  candidates: Readonly<Record<Name, LoadOptions>>,
  rounds: number,
): Promise<Record<Name, LoadResult>> {
  const names = Object.keys(candidates) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, LoadResult[]>;
  for (const name of names) await load({ ...candidates[name], seconds: 0.5 });
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results[name].push(await load(candidates[name]));
  }
  return Object.fromEntries(names.map((name) => [name, medianOf(results[name])])) as Record<Name, LoadResult>;
}

function medianOf(results: readonly LoadResult[]): LoadResult {
  const of = (pick: (result: LoadResult) => number) => median(results.map(pick));
  return {
    imagesPerSecond: of((result) => result.imagesPerSecond),
    p50Ms: of((result) => result.p50Ms),
    p99Ms: of((result) => result.p99Ms),
    requests: of((result) => result.requests),
    errors: 0,
  };
}
