/** The server's whole configuration: each setting is a flag (`--max-queue`) or a variable (`ORIGIN_MAX_QUEUE`). */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { z } from "zod";
import { wholeNumber } from "../whole-number.ts";

const MIB = 2 ** 20;

/** One row a setting. `cpu` is everywhere; the others need an onnxruntime-node that has them. */
const settings = z.object({
  models: z.string().min(1).default("models").meta({ description: "Folder of the Triton model repository." }),
  host: z.string().min(1).default("127.0.0.1").meta({ description: "Address to listen at; loopback unless given." }),
  port: wholeNumber(0, 65535).default(8000).meta({ description: "TCP port; 0 for any free one." }),
  token: z
    .string()
    .min(16)
    .regex(/^[\w.~+/-]+=*$/, 'Expected letters, digits and -._~+/ only, then any "=", as RFC 6750 has bearer tokens')
    .optional()
    .meta({ description: "Bearer token that every request but health must carry; better given as a variable." }),
  provider: z.enum(["cpu", "cuda", "tensorrt", "webgpu", "dml", "coreml"]).default("cpu").meta({
    description: "onnxruntime execution provider.",
  }),
  instances: wholeNumber(1, 64)
    .default(Math.max(1, availableParallelism() - 1))
    .meta({ description: "Worker threads that run models; one core is left to HTTP." }),
  threads: wholeNumber(1, 256).default(1).meta({ description: "onnxruntime threads within one instance." }),
  gather: wholeNumber(1, 1024).optional().meta({
    description:
      "Most images that requests are gathered to; on the CPU 16, else the model's max_batch_size, which bounds it as well.",
  }),
  maxQueueDelayUs: wholeNumber(0, 1_000_000).optional().meta({
    description:
      "Microseconds an incomplete batch waits for more; on the CPU 0, else what the model's config.pbtxt says.",
  }),
  maxQueue: wholeNumber(1, 1_000_000).default(16_384).meta({
    description: "Requests a model may have waiting; further ones are answered 503.",
  }),
  requestTimeoutMs: wholeNumber(1, 600_000).default(10_000).meta({
    description: "How long a request may take to arrive, and then to wait for its turn.",
  }),
  /** 64 thumbnails of 224x224x3 are 9.6 MB in binary; 64 of 112x112x3 about as much in JSON. */
  maxRequestBytes: wholeNumber(1024, 1024 * MIB)
    .default(16 * MIB)
    .meta({
      description: "Largest request body, as sent and decompressed.",
    }),
  maxPendingBytes: wholeNumber(1024, 64 * 1024 * MIB)
    .default(512 * MIB)
    .meta({
      description: "Bytes of all requests together that are read or waiting; further ones are answered 503.",
    }),
  exitTimeoutMs: wholeNumber(0, 600_000).default(30_000).meta({
    description: "How long SIGTERM waits for requests under way.",
  }),
});

export type Settings = z.infer<typeof settings>;

const NAMES = Object.keys(settings.shape) as (keyof Settings)[];
const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const variableOf = (name: string) => `ORIGIN_${flagOf(name).replaceAll("-", "_").toUpperCase()}`;

/**
 * @param args command line after the script's name; flags win over variables.
 * @throws Error naming each flag and variable, what was expected and what came.
 */
export function parseSettings(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Settings {
  const options = Object.fromEntries(NAMES.map((name) => [flagOf(name), { type: "string" as const }]));
  const { values } = parseArgs({ args: [...args], options });
  const given = Object.fromEntries(NAMES.map((name) => [name, values[flagOf(name)] ?? env[variableOf(name)]]));
  const result = settings.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path: [name = ""], message }) => {
    const value = name === "token" ? "a secret" : JSON.stringify(given[String(name)]);
    return `--${flagOf(String(name))} (${variableOf(String(name))}): ${message}, but got ${value}.`;
  });
  throw new Error(faults.join("\n"));
}

export interface SettingDescription {
  readonly flag: string;
  readonly variable: string;
  readonly preset: string | undefined;
  readonly description: string;
}

/** Every setting, for `--help` and the documentation. */
export function listSettings(): SettingDescription[] {
  return NAMES.map((name) => {
    const schema = settings.shape[name];
    const preset = schema.safeParse(undefined).data;
    return {
      flag: `--${flagOf(name)}`,
      variable: variableOf(name),
      // The number of cores is the machine's, not the program's.
      preset: name === "instances" ? "cores - 1" : preset?.toString(),
      description: schema.meta()?.description ?? "",
    };
  });
}
