/** Problem details (RFC 9457) as an error that can be told apart by `code`. */
import type { ProblemCode } from "../errors.ts";

export type { ProblemCode };

/** A problem document; `type` ends with the stable name of its cause. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

/**
 * What the service refused or could not do.
 *
 * @example
 * try { await thumbnet.thumbnail(url) } catch (error) {
 *   if (error instanceof ProblemError && error.code === "source-not-found") ...
 * }
 */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  /** Of the table in docs/problems.md; any other text if what answered was not the service. */
  readonly code: ProblemCode | (string & {});
  readonly status: number;
  readonly title: string;
  /** Seconds after which another attempt makes sense, if the service says so. */
  readonly retryAfter: number | undefined;
  /** Names the request in the service's log. */
  readonly requestId: string | undefined;

  constructor({ type, title, status, detail }: ProblemDetails, headers: Headers = new Headers()) {
    super(`${title}: ${detail}`);
    this.code = type.slice(type.lastIndexOf("/") + 1);
    this.status = status;
    this.title = title;
    this.retryAfter = Number(headers.get("retry-after")) || undefined;
    this.requestId = headers.get("x-request-id") ?? undefined;
  }
}

/** The error of an answer that is not a success. Proxies in between answer without a problem document. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const text = await response.text();
  const details = response.headers.get("content-type")?.startsWith("application/problem+json")
    ? parseDetails(text)
    : undefined;
  return new ProblemError(
    details ?? {
      type: "about:blank/unknown",
      title: `The server answered ${response.status}`,
      status: response.status,
      detail: text.slice(0, 200) || "without a problem document.",
    },
    response.headers,
  );
}

function parseDetails(text: string): ProblemDetails | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isDetails(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Is this a problem document of the service. */
export function isDetails(value: unknown): value is ProblemDetails {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    typeof value.type === "string" &&
    "title" in value &&
    typeof value.title === "string" &&
    "status" in value &&
    typeof value.status === "number" &&
    "detail" in value &&
    typeof value.detail === "string"
  );
}
