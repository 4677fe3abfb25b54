/** `thumbnet-edge verify`: would the service take this URL's signature. */
import { Problem } from "../errors.ts";
import { authorize } from "../request/sign.ts";
import { type Command, UsageError } from "./command.ts";
import { KEYS_HELP, keyRing, splitTarget } from "./keys.ts";

export const verify: Command = {
  summary: "Checks signed URLs as the service does.",
  usage: "<URLs or paths...>",
  details: KEYS_HELP,
  options: {},
  async run({ positionals }) {
    if (positionals.length === 0) throw new UsageError("Expected signed URLs or paths.");
    const keys = keyRing();
    if (keys.size === 0) throw new UsageError(`There is no signing key. ${KEYS_HELP}`);
    let refused = false;
    for (const text of positionals) {
      const { target } = splitTarget(text);
      try {
        const { expiresAt } = await authorize(target, { keys, allowUnsigned: false }, Date.now());
        console.log(`good ${expiresAt ? `until ${expiresAt.toISOString()}` : "without an end"}: ${text}`);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        refused = true;
        console.log(`${error.code}: ${text}\n  ${error.message}`);
      }
    }
    return refused ? 1 : 0;
  },
};
