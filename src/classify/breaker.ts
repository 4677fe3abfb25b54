/** Circuit breaker: an origin that keeps failing is left alone for a while, so that requests need not wait for its timeout. */

export interface BreakerLimits {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open, in milliseconds; then one request may try. */
  readonly coolDownMs: number;
}

export interface Breaker {
  /** Whether a request may go. Once the pause is over this says yes to one, and to the rest only after it succeeded. */
  tryPass(): boolean;
  succeeded(): void;
  failed(): void;
}

/** @param now milliseconds on any clock that does not go back. */
export function createBreaker({ failures, coolDownMs }: BreakerLimits, now: () => number): Breaker {
  let inARow = 0;
  let closedAgainAt = 0;
  return {
    tryPass() {
      if (inARow < failures) return true;
      if (now() < closedAgainAt) return false;
      // This request is the probe. Should it never report back, the next may try after another pause.
      closedAgainAt = now() + coolDownMs;
      return true;
    },
    succeeded() {
      inARow = 0;
    },
    failed() {
      inARow += 1;
      if (inARow >= failures) closedAgainAt = now() + coolDownMs;
    },
  };
}
