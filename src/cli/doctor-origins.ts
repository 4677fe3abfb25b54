/** The part of `doctor` that asks the inference origins: are they there, and do they have the models that the cards describe. */
import { checkMetadata } from "../classify/model-check.ts";
import { OriginError } from "../classify/origin-error.ts";
import { exchange, type OriginAddress } from "../classify/origin-http.ts";
import type { ModelCard } from "../downscaler/card.ts";
import { modelMetadata, parseMessage } from "../oip/messages.ts";
import { messageOf } from "./command.ts";

const TIMEOUT_MS = 5000;

/**
 * @param cards of the models that the service asks for.
 * @throws Error that says which origin has what fault.
 */
export async function checkOrigins(origins: readonly OriginAddress[], cards: readonly ModelCard[]): Promise<string> {
  if (origins.length === 0) return "none is configured, so there is no /classify";
  const said: string[] = [];
  for (const origin of origins) {
    await ask(origin, "/v2/health/ready").catch((error) => {
      throw new Error(`${origin.url}: ${reasonOf(error)} Is the inference server running, and ready?`);
    });
    const missing: string[] = [];
    for (const card of cards) if (!(await hasModel(origin, card))) missing.push(card.name);
    if (missing.length === cards.length) throw new Error(`${origin.url} has none of the models. Give it this models/.`);
    said.push(`${origin.url} is ready${missing.length ? `, without ${missing.join(", ")}` : ""}`);
  }
  return said.join("; ");
}

/** @throws Error if it has another one of that name, or does not say. */
async function hasModel(origin: OriginAddress, card: ModelCard): Promise<boolean> {
  try {
    const { body } = await ask(origin, `/v2/models/${encodeURIComponent(card.name)}`);
    checkMetadata(parseMessage(modelMetadata, body), card);
    return true;
  } catch (error) {
    if (error instanceof OriginError && UNKNOWN.test(messageOf(error.cause))) return false;
    throw new Error(`${origin.url}: ${card.name}: ${reasonOf(error)}`);
  }
}

/** Of a model that is not there: 404, and of older Tritons 400. */
const UNKNOWN = /^Status 40[04]:/;

const ask = (origin: OriginAddress, path: string) =>
  exchange(fetch, origin, { path, signal: AbortSignal.timeout(TIMEOUT_MS) });

function reasonOf(error: unknown): string {
  const cause = error instanceof OriginError && error.cause ? ` ${messageOf(error.cause)}` : "";
  return `${messageOf(error)}${cause}`;
}
