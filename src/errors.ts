/**
 * The one error class of the service and its table of causes (RFC 9457, problem details).
 *
 * Throw anywhere, catch once (`app.onError`). `detail` is public and says what was expected and what came; the private
 * cause goes to the log alone.
 */

/** Every cause the service distinguishes. The key is the stable last segment of the problem's `type`. */
export const PROBLEMS = {
  "invalid-options": { status: 400, title: "The options are not valid" },
  "invalid-source": { status: 400, title: "The source is not valid" },
  "invalid-request": { status: 400, title: "The request is not valid" },
  "invalid-signature": { status: 403, title: "The URL is not signed for this service" },
  "expired-signature": { status: 403, title: "The signed URL has expired" },
  "source-not-allowed": { status: 403, title: "This source is not allowed" },
  "not-found": { status: 404, title: "There is nothing at this address" },
  "source-not-found": { status: 404, title: "The source image does not exist" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "body-too-large": { status: 413, title: "The image file is too large" },
  "image-too-large": { status: 413, title: "The image has too many pixels" },
  "unsupported-format": { status: 415, title: "The bytes are not an image in a supported format" },
  "undecodable-image": { status: 422, title: "The image cannot be decoded" },
  "internal-error": { status: 500, title: "The service failed" },
  "loop-detected": { status: 508, title: "The service was asked to fetch from itself" },
  "source-failed": { status: 502, title: "The source did not answer with an image" },
  "source-timeout": { status: 504, title: "The source did not answer in time" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An error with a public face. `cause` (any thrown value) is for the log and never leaves the service. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;

  constructor(code: ProblemCode, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.code = code;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  /** The body of RFC 9457; `base` is the absolute or relative prefix of the pages that explain each type. */
  toJSON(base = "/problems/"): { type: string; title: string; status: number; detail: string } {
    const { status, title } = PROBLEMS[this.code];
    return { type: `${base}${this.code}`, title, status, detail: this.message };
  }
}
