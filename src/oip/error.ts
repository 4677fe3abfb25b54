/** What both sides of the protocol throw; the server answers it as `{"error": message}` with this status. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly status: number;

  /** @param status the HTTP status that fits: 400 for a bad message, 404 unknown model, 413 too large, 503 overloaded. */
  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}
