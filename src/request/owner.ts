/** The owner's key, for requests that change something. */
import { timingSafeEqual } from "hono/utils/buffer";
import { Problem } from "../errors.ts";

/**
 * Checks a bearer token (RFC 6750) in constant time.
 *
 * @throws Problem `unauthorized`, also if the deployment has no owner's key.
 */
export async function checkOwner(authorization: string | undefined, ownerKey: string | undefined): Promise<void> {
  const [, token = ""] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
  if (ownerKey === undefined || !(await timingSafeEqual(token, ownerKey))) {
    throw new Problem("unauthorized", `Expected "Authorization: Bearer <OWNER_KEY>".`);
  }
}
