/** One piece of work for all requests that want the same thing at the same time. */
import { Problem } from "../errors.ts";
import { within } from "./within.ts";

interface Flight<T> {
  readonly result: Promise<T>;
  readonly end: number;
}

/** After this time a flight counts as lost: the runtime drops requests whose client left, and their promises with them. */
const FLIGHT_MS = 60_000;

export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * Runs `work`, or waits for the same key's run that is under way and shares its result or Problem. `T` must be plain data:
   * a stream can be read by one request only.
   */
  async run(key: string, work: () => Promise<T>): Promise<T> {
    const other = this.#flights.get(key);
    if (other) {
      const shared = await follow(other);
      if (shared !== LOST) return shared;
      if (this.#flights.get(key) === other) this.#flights.delete(key);
      return this.run(key, work);
    }
    const flight: Flight<T> = { result: work(), end: Date.now() + FLIGHT_MS };
    this.#flights.set(key, flight);
    try {
      return await flight.result;
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }
}

const LOST = Symbol("lost");

/**
 * The flight's result or Problem. Anything else is not about the work: workerd rejects the promises of ended requests, and a
 * limit is that of the client whose request flew.
 */
async function follow<T>({ result, end }: Flight<T>): Promise<T | typeof LOST> {
  try {
    return await within(end - Date.now(), result, () => new Error("The flight is lost."));
  } catch (error) {
    if (error instanceof Problem && error.code !== "rate-limited") throw error;
    return LOST;
  }
}
