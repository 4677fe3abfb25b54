/** What an origin did wrong, which decides whether to ask it again, whether to leave it alone, and what the client is told. */
import { Problem, type ProblemCode } from "../errors.ts";

interface Kind {
  readonly problem: ProblemCode;
  /** Whether the same request may succeed a moment later. */
  readonly again: boolean;
  /** Whether the breaker counts it: the origin is not well, rather than busy or the wrong one. */
  readonly unwell: boolean;
}

export const ORIGIN_FAULTS = {
  /** No connection, or it broke. */
  unreachable: { problem: "origin-failed", again: true, unwell: true },
  /** 503 or 429. */
  overloaded: { problem: "origin-overloaded", again: true, unwell: false },
  /** Its breaker is open. */
  resting: { problem: "origin-overloaded", again: false, unwell: false },
  timeout: { problem: "origin-timeout", again: false, unwell: true },
  /** Any other status, or an answer that breaks the protocol. */
  broken: { problem: "origin-failed", again: false, unwell: true },
  /** The model is not there, or not the one that its card describes. */
  "wrong-model": { problem: "origin-failed", again: false, unwell: false },
} as const satisfies Record<string, Kind>;

export type OriginFault = keyof typeof ORIGIN_FAULTS;

/** `message` is public and names no host; `cause` is for the log. */
export class OriginError extends Error {
  override readonly name = "OriginError";
  readonly fault: OriginFault;

  constructor(fault: OriginFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.fault = fault;
  }

  get kind(): Kind {
    return ORIGIN_FAULTS[this.fault];
  }

  toProblem(): Problem {
    return new Problem(this.kind.problem, this.message, this.cause ?? this);
  }
}
