/** One piece of work for all requests that want the same thing at the same time. */
import { Problem } from "../errors.ts";
import { within } from "./within.ts";

interface Flight<T> {
  readonly result: Promise<T>;
  readonly end: number;
}

/** After this time a flight counts as lost: the runtime drops requests whose client left, and their promises with them. */
export const FLIGHT_MS = 60_000;

export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * Runs `work`, or waits for the same key's run that is under way and shares its result or Problem. `T` must be plain data:
   * a stream can be read by one request only.
   *
   * @param after begins with the result, and must not reject. Until it ends, later requests share the result too: what it
   * stores is not there for them yet.
   */
  async run(key: string, work: () => Promise<T>, after: (result: T) => Promise<void> = async () => {}): Promise<T> {
    const other = this.#flights.get(key);
    if (other && Date.now() < other.end) {
      const shared = await follow(other);
      if (shared !== LOST) return shared;
      this.#land(key, other);
      return this.run(key, work, after);
    }
    const flight: Flight<T> = { result: work(), end: Date.now() + FLIGHT_MS };
    this.#flights.set(key, flight);
    try {
      const result = await flight.result;
      void after(result).finally(() => this.#land(key, flight));
      return result;
    } catch (error) {
      this.#land(key, flight);
      throw error;
    }
  }

  #land(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
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
