/**
 * The one error class of the service and its table of causes (RFC 9457, problem details).
 *
 * Throw anywhere, catch once (`app.onError`). `detail` is public and says what was expected and what came; the private
 * cause goes to the log alone.
 */

interface Row {
  readonly status: number;
  readonly title: string;
  /** What a source answered, which is what it would answer a moment later; see `cache/failures.ts`. */
  readonly ofSource?: true;
  /** Seconds for `Retry-After`. */
  readonly retryAfter?: number;
}

/** Every cause the service distinguishes. The key is the stable last segment of the problem's `type`. */
export const PROBLEMS = {
  "invalid-options": { status: 400, title: "The options are not valid" },
  "invalid-source": { status: 400, title: "The source is not valid" },
  "invalid-request": { status: 400, title: "The request is not valid" },
  unauthorized: { status: 401, title: "The request needs the owner's key" },
  "invalid-signature": { status: 403, title: "The URL is not signed for this service" },
  "expired-signature": { status: 403, title: "The signed URL has expired" },
  "source-not-allowed": { status: 403, title: "This source is not allowed" },
  "not-found": { status: 404, title: "There is nothing at this address" },
  "source-not-found": { status: 404, title: "The source image does not exist", ofSource: true },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "request-timeout": { status: 408, title: "The request came too slowly" },
  "body-too-large": { status: 413, title: "The image file is too large", ofSource: true },
  "image-too-large": { status: 413, title: "The image has too many pixels", ofSource: true },
  "unsupported-format": { status: 415, title: "The bytes are not an image in a supported format", ofSource: true },
  "undecodable-image": { status: 422, title: "The image cannot be decoded", ofSource: true },
  "rate-limited": { status: 429, title: "Too many requests", retryAfter: 60 },
  "internal-error": { status: 500, title: "The service failed" },
  "source-failed": { status: 502, title: "The source did not answer with an image", ofSource: true },
  "source-refused": { status: 502, title: "The source does not give this image to everyone", ofSource: true },
  "origin-failed": { status: 502, title: "The inference origin did not answer with a classification" },
  "queue-failed": { status: 502, title: "The queue did not take the messages", retryAfter: 5 },
  overloaded: { status: 503, title: "The service is busy", retryAfter: 1 },
  "queue-missing": { status: 503, title: "The service has no queue" },
  "origin-missing": { status: 503, title: "No inference origin is configured" },
  "origin-overloaded": { status: 503, title: "The inference origin is busy", retryAfter: 1 },
  "source-timeout": { status: 504, title: "The source did not answer in time", ofSource: true },
  "origin-timeout": { status: 504, title: "The inference origin did not answer in time" },
  "loop-detected": { status: 508, title: "The service was asked to fetch from itself" },
} as const satisfies Record<string, Row>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An error with a public face. `cause` (any thrown value) is for the log and never leaves the service. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;

  constructor(code: ProblemCode, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.code = code;
  }

  get row(): Row {
    return PROBLEMS[this.code];
  }

  get status(): number {
    return this.row.status;
  }

  /** The body of RFC 9457. @param mount the path that the service is mounted at; the type's page is below it. */
  toJSON(mount = ""): { type: string; title: string; status: number; detail: string } {
    const { status, title } = this.row;
    return { type: `${mount}/problems/${this.code}`, title, status, detail: this.message };
  }
}

/** What was thrown; the inside of an error that nobody expected is for the log alone. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("internal-error", "The service failed.", error);
}
