/**
 * Loop detection: requests this service makes are marked, and marked requests are not served.
 *
 * CDN-Loop is RFC 8586; Via (RFC 9110, section 7.6.3) says the same where a network in front keeps CDN-Loop to itself.
 */
const ID = "thumbnet-edge";

/** Sent with every request for an original. */
export const LOOP_HEADERS = { "cdn-loop": ID, via: `1.1 ${ID}` } as const;

/** Whether a request has passed through this service (or another deployment of it) before. */
export function isLoop(headers: Headers): boolean {
  const seen = `${headers.get("cdn-loop") ?? ""},${headers.get("via") ?? ""}`;
  return seen.split(",").some((entry) =>
    entry
      .trim()
      .split(/[\s;]+/)
      .includes(ID),
  );
}
