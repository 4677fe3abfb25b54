/**
 * An optional look-up of a host's addresses before it is fetched, for deployments that can reach private networks.
 *
 * On Cloudflare `fetch` leads to the public internet alone and this check is not needed. A self-hosted workerd decides that in its
 * own network configuration (`allow = ["public"]`), which sees the address connected to and is the better defence: a record
 * that changes between this look-up and the connection (DNS rebinding) passes here.
 */
import { z } from "zod";
import { Problem } from "../errors.ts";
import { addressReason } from "./address.ts";

/** Throws a Problem unless the host may be connected to. */
export type HostCheck = (hostname: string, signal: AbortSignal) => Promise<void>;

/** The JSON form of DNS over HTTPS that cloudflare-dns.com and dns.google speak. */
const answerSchema = z.object({
  Status: z.int(),
  Answer: z.array(z.object({ type: z.int(), data: z.string() })).optional(),
});

const RECORDS = { A: 1, AAAA: 28 } as const;

/**
 * A check that every address of a name is public, by DNS over HTTPS.
 *
 * @param endpoint for example `https://cloudflare-dns.com/dns-query`.
 * @returns a check that throws Problem `source-not-allowed` if any address is not public, and `source-failed` if the name
 *   has none or the look-up fails.
 */
export function checkAddresses(
  endpoint: string,
  fetch: (url: string, init: { headers: Record<string, string>; signal: AbortSignal }) => Promise<Response>,
): HostCheck {
  async function lookUp(hostname: string, record: keyof typeof RECORDS, signal: AbortSignal): Promise<string[]> {
    const url = `${endpoint}?name=${encodeURIComponent(hostname)}&type=${record}`;
    const response = await fetch(url, { headers: { accept: "application/dns-json" }, signal });
    if (!response.ok) throw new Error(`The resolver answered ${response.status}.`);
    const { Answer = [] } = answerSchema.parse(await response.json());
    return Answer.filter(({ type }) => type === RECORDS[record]).map(({ data }) => data);
  }

  return async (hostname, signal) => {
    const addresses = await Promise.all([lookUp(hostname, "A", signal), lookUp(hostname, "AAAA", signal)]).catch(
      (error) => {
        throw new Problem("source-failed", "The source's host could not be looked up.", error);
      },
    );
    if (addresses.flat().length === 0) throw new Problem("source-failed", "The source's host has no address.");
    if (addresses.flat().some((address) => addressReason(address) !== undefined)) {
      throw new Problem(
        "source-not-allowed",
        "The source is not allowed: its host resolves to an address that is not public.",
      );
    }
  };
}
