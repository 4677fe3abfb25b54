/** The part of `doctor` that asks a running service. */
import { z } from "zod";
import { createClient, ProblemError } from "../client/index.ts";
import { encodePng } from "../imaging/png-encode.ts";
import { makeThumbnail } from "../pipeline.ts";
import { nodeRuntime } from "../runtime/node.ts";
import type { Check } from "./doctor.ts";
import { keyRing, signingKey } from "./keys.ts";

const models = z.object({ models: z.array(z.object({ name: z.string(), sha256: z.string() })) });
const TIMEOUT_MS = 10_000;

/** What a check that was refused for want of a signature means. */
const HINTS: Readonly<Record<string, string>> = {
  "invalid-signature": "Set SIGNING_KEYS (or SIGNING_KEY_ID and SIGNING_SECRET) here to what the service has.",
};

export function checkService(service: string): Check[] {
  const base = service.replace(/\/+$/, "");
  const client = createClient(base, keyRing().size ? { key: signingKey(undefined) } : {});
  const side = 64;
  const gradient = Uint8Array.from({ length: side * side * 3 }, (_, i) => i % 251);
  const photo = encodePng({ width: side, height: side, data: gradient });

  return [
    ["service", async () => `${base} answers ${(await get(`${base}/health`)).status}`],
    [
      "its models",
      async () => {
        const { models: served } = models.parse(await (await get(`${base}/models`)).json());
        const here = new Map((await nodeRuntime()).downscalers.map(({ card }) => [card.sha256, card.name]));
        const other = served.filter(({ sha256 }) => !here.has(sha256));
        if (other.length)
          throw new Error(
            `${other.map(({ name }) => name).join(", ")} differ from those here. Deploy this version, or install the service's.`,
          );
        return "are those here";
      },
    ],
    [
      "its thumbnails",
      async () => {
        const { bytes } = await client.thumbnail(await photo).catch(explain);
        const here = await makeThumbnail(await photo, { size: 56, format: "png" }, await nodeRuntime());
        if (Buffer.compare(bytes, here.bytes))
          throw new Error("They are not the bytes that are made here. Compare the versions.");
        return "are the very bytes that are made here";
      },
    ],
    [
      "its classifications",
      async () => {
        const answer = await client
          .classify(await photo)
          .catch((error: unknown) =>
            error instanceof ProblemError && error.code === "origin-missing" ? undefined : explain(error),
          );
        return answer ? `come from ${answer.model.name}` : "there are none, as it has no ORIGINS";
      },
    ],
  ];
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => {
    throw new Error(`${url} cannot be reached. Is the service running, and is that its address?`);
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  return response;
}

function explain(error: unknown): never {
  if (!(error instanceof ProblemError)) throw error;
  throw new Error([error.message, HINTS[error.code]].filter(Boolean).join(" "));
}
