/**
 * A bound on what requests that run at the same time may take of an isolate: bytes held, or turns at a decoder.
 *
 * Requests wait for room, oldest first. The oldest always gets what it asks for, so that half-read bodies can never wait
 * for each other; at most `total` plus one request's share is in use. A lease ends by itself after `leaseMs`: a request
 * whose client left may be dropped by the runtime without its `finally` ever running.
 */
import { Problem } from "../errors.ts";

export interface Lease {
  /** Waits until `amount` in all is granted. @throws Problem `overloaded` after `maxWaitMs`. */
  hold(amount: number): Promise<void>;
}

export interface BudgetOptions {
  readonly total: number;
  /** Requests that may hold or wait; one more is refused at once. */
  readonly maxLeases: number;
  readonly maxWaitMs: number;
  /** From the last grant. Who holds it for longer is no longer counted, and who vanished is until then. */
  readonly leaseMs: number;
}

/** Releases wake the waiters; the poll is for leases that ended without one. */
const POLL_MS = 1000;

interface Held {
  amount: number;
  /** Above `amount` while it waits. */
  wanted: number;
  end: number;
}

export class Budget {
  readonly #options: BudgetOptions;
  readonly #leases = new Set<Held>();
  readonly #waiting = new Set<() => void>();

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** Runs `work` with a lease that ends with it. @throws Problem `overloaded` if too many are waiting already. */
  async use<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    this.#dropExpired();
    if (this.#leases.size >= this.#options.maxLeases) throw overloaded();
    const held: Held = { amount: 0, wanted: 0, end: Date.now() + this.#options.leaseMs };
    this.#leases.add(held);
    try {
      return await work({ hold: (amount) => this.#hold(held, amount) });
    } finally {
      this.#leases.delete(held);
      this.#wake();
    }
  }

  async #hold(held: Held, amount: number): Promise<void> {
    const { maxWaitMs, leaseMs } = this.#options;
    const deadline = Date.now() + maxWaitMs;
    held.wanted = amount;
    held.end = deadline + leaseMs; // who waits stays in the queue, and counts from the moment it is granted
    while (!this.#fits(held, amount)) {
      const left = deadline - Date.now();
      if (left <= 0) throw overloaded();
      await this.#nextRelease(Math.min(left, POLL_MS));
    }
    held.amount = amount;
    held.end = Date.now() + leaseMs;
  }

  #fits(held: Held, amount: number): boolean {
    this.#dropExpired();
    const [oldest] = this.#leases;
    if (amount <= held.amount || held === oldest) return true;
    const others = Array.from(this.#leases).filter((lease) => lease !== held);
    // The oldest gets what it wants whenever it looks next, and who waits looks in any order.
    const taken = others.map((lease) => (lease === oldest ? Math.max(lease.amount, lease.wanted) : lease.amount));
    return taken.reduce((sum, each) => sum + each, amount) <= this.#options.total;
  }

  #dropExpired(): void {
    const now = Date.now();
    for (const lease of this.#leases) if (lease.end <= now) this.#leases.delete(lease);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Each waiter makes its own promise: in workerd one that another request made cannot be awaited after that has ended. */
  async #nextRelease(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }
}

const overloaded = () => new Problem("overloaded", "Too many images are being worked on. Try again in a moment.");
