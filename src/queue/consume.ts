/** The Worker's `queue()`: what each message leads to, and what becomes of the message. */
import type { Message, MessageBatch, R2Bucket } from "@cloudflare/workers-types";
import { type Config, parseConfig } from "../config.ts";
import { asProblem } from "../errors.ts";
import type { Runtime } from "../pipeline.ts";
import type { VersionedOriginals } from "../source/r2.ts";
import { changeMessage } from "./message.ts";
import { type Refreshed, refresh } from "./refresh.ts";

/** Seconds. 5, 15, 45, 135, 405: an outage of ten minutes is slept through before a message is given up. */
const FIRST_DELAY = 5;
const DELAY_FACTOR = 3;
const MAX_DELAY = 3600;

/** Codes below 500 that are about the moment and not about the image. */
const TRANSIENT: readonly string[] = ["rate-limited", "request-timeout"];

export interface QueueEnv {
  readonly THUMBNAILS: R2Bucket;
  readonly ORIGINALS: VersionedOriginals;
}

/**
 * Makes the handler. Messages are worked on one after the other: decoding and the downscaler use the CPU without a pause,
 * and the isolate has room for one photo. More at once is the matter of the queue (`max_concurrency` in wrangler.toml).
 */
export function createConsumer(runtime: Runtime): (batch: MessageBatch, env: QueueEnv) => Promise<void> {
  let config: Config | undefined;
  return async (batch, env) => {
    config ??= parseConfig(env);
    for (const message of batch.messages) await consume(message, env, config, runtime);
  };
}

async function consume(message: Message, env: QueueEnv, config: Config, runtime: Runtime): Promise<void> {
  const change = changeMessage.safeParse(message.body);
  if (!change.success) {
    // It will be no better the next time, but only a message that is retried too often reaches the dead letters.
    log(console.error, message, {
      outcome: "unreadable",
      fault: change.error.issues.map(({ path }) => path.join(".")),
    });
    message.retry();
    return;
  }
  const { key } = change.data.object;
  const { originalsPrefix, pregenerate: specs, sourcePolicy: policy } = config;
  if (!key.startsWith(originalsPrefix)) {
    log(console.log, message, { outcome: "ignored", key });
    message.ack();
    return;
  }
  try {
    const room = { runtime, specs, originals: env.ORIGINALS, originalsPrefix, thumbnails: env.THUMBNAILS, policy };
    log(console.log, message, {
      outcome: "done",
      key,
      ...(await refresh(key.slice(originalsPrefix.length), room)),
    });
    message.ack();
  } catch (error) {
    settle(message, key, error);
  }
}

/** An image that cannot be made a thumbnail of never can: it is logged once. Everything else is tried again, ever later. */
function settle(message: Message, key: string, error: unknown): void {
  const problem = asProblem(error);
  const said = { key, problem: problem.code, cause: String(problem.cause ?? problem.message) };
  if (problem.status < 500 && !TRANSIENT.includes(problem.code)) {
    log(console.warn, message, { outcome: "refused", ...said });
    message.ack();
    return;
  }
  const delaySeconds = Math.min(FIRST_DELAY * DELAY_FACTOR ** (message.attempts - 1), MAX_DELAY);
  log(console.error, message, { outcome: "retry", ...said, delaySeconds });
  message.retry({ delaySeconds });
}

type Outcome =
  | { outcome: "unreadable"; fault: readonly string[] }
  | { outcome: "ignored"; key: string }
  | ({ outcome: "done"; key: string } & Refreshed)
  | { outcome: "refused"; key: string; problem: string; cause: string }
  | { outcome: "retry"; key: string; problem: string; cause: string; delaySeconds: number };

function log(write: (entry: object) => void, { id, attempts }: Message, outcome: Outcome): void {
  write({ event: "queue", message: id, attempts, ...outcome });
}
