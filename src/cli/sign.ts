/** `thumbnet-edge sign`: a URL that a closed service serves. */
import { signPath } from "../client/sign.ts";
import { type Command, UsageError } from "./command.ts";
import { KEYS_HELP, signingKey, splitTarget } from "./keys.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export const sign: Command = {
  summary: "Signs URLs of the service.",
  usage: "<URLs or paths...> [--expires <time>]",
  details: KEYS_HELP,
  options: {
    expires: {
      type: "string",
      short: "e",
      value: "time",
      help: "From when on it is no longer served: 90s, 15m, 12h, 30d, or a date.",
    },
    "key-id": { type: "string", value: "id", help: "Which key of SIGNING_KEYS; the first if absent." },
  },
  async run({ values, positionals }) {
    if (positionals.length === 0) throw new UsageError("Expected URLs or paths like /thumbnail/size=56/https://...");
    const key = signingKey(values["key-id"]);
    const expires = values.expires === undefined ? undefined : moment(values.expires, Date.now());
    for (const text of positionals) {
      const { base, target } = splitTarget(text);
      try {
        console.log(`${base}${await signPath(target, key, expires)}`);
      } catch (error) {
        throw error instanceof TypeError ? new UsageError(error.message) : error;
      }
    }
    return 0;
  },
};

/** @param now milliseconds since 1970. */
function moment(text: string, now: number): Date {
  const [, count, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const date = count ? new Date(now + Number(count) * (UNITS[unit] ?? 0) * 1000) : new Date(text);
  if (date.getTime() > now) return date;
  throw new UsageError(
    `Expected a time to come for --expires, like 90s, 15m, 12h, 30d or 2030-01-31T12:00Z, but got "${text}".`,
  );
}
