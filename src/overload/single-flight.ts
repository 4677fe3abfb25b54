/** One piece of work for all requests that want the same thing at the same time. */

interface Flight<T> {
  readonly result: Promise<T>;
  readonly end: number;
}

/** After this time a flight counts as lost: the runtime drops requests whose client left, and their promises with them. */
const FLIGHT_MS = 60_000;

export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * Runs `work`, or waits for the same key's run that is under way and shares its result or error. `T` must be plain data:
   * a stream can be read by one request only.
   */
  async run(key: string, work: () => Promise<T>): Promise<T> {
    const other = this.#flights.get(key);
    if (other) {
      const shared = await withinTime(other, other.end - Date.now());
      if (shared !== LOST) return shared;
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

async function withinTime<T>({ result }: Flight<T>, ms: number): Promise<T | typeof LOST> {
  const { promise, resolve } = Promise.withResolvers<typeof LOST>();
  const timer = setTimeout(() => resolve(LOST), ms);
  try {
    return await Promise.race([result, promise]);
  } finally {
    clearTimeout(timer);
  }
}
