/** The whole configuration, read once from the Worker's variables and secrets. */
import { z } from "zod";
import type { ClassifierConfig } from "./classify/classifier.ts";
import { classifierConfig, classifyVariables } from "./classify/variables.ts";
import { MAX_PHOTO_BYTES } from "./overload/isolate.ts";
import type { ThumbnailSpec } from "./pipeline.ts";
import { parsePregenerate } from "./queue/pregenerate.ts";
import { type Presets, parseOptions, thumbnailOptions } from "./request/options.ts";
import { KEY_ID, type KeyRing, MIN_SECRET_BYTES, type SigningPolicy } from "./request/sign.ts";
import { DEFAULT_LIMITS, parseSourceRule, type SourcePolicy, type SourceRule } from "./source/policy.ts";
import { integer, list } from "./variable.ts";

/** Every variable, with its default. The names are those of `wrangler.toml`. */
export const variables = z.object({
  SIGNING_KEYS: z.string().transform(parseKeys).default(new Map()).meta({
    description:
      'A secret: keys for signed URLs as a JSON object from id to secret (32 bytes or more), e.g. `{"web-1": "..."}`.',
  }),
  ALLOW_UNSIGNED: z
    .enum(["true", "false"])
    .default("false")
    .meta({ description: "`true` serves URLs without a signature, to everyone. For development and closed networks." }),
  SOURCE_HOSTS: list.transform(parseRules).default([]).meta({
    description:
      "Where originals may come from, separated by commas or spaces: `images.example.com`, `*.example.com` (its subdomains, not itself), `https://example.com:8443/photos/`, or `*` for any public host. Nowhere by default.",
  }),
  SELF_HOSTS: list.default([]).meta({
    description:
      "Further host names of this very service (a CDN's too), so that it is never asked to fetch from itself; separated by commas or spaces.",
  }),
  DNS_CHECK: z
    .url({ protocol: /^https$/ })
    .optional()
    .meta({
      description:
        "A DNS-over-HTTPS resolver with a JSON form, e.g. `https://cloudflare-dns.com/dns-query`: sources whose host is matched by a wildcard must then resolve to public addresses. Of use where `fetch` reaches private networks, which on Cloudflare it does not.",
    }),
  ORIGINALS_PREFIX: z.string().default("").meta({
    description:
      "Put before every key of an `r2:` source, as it stands: with `photos/`, `r2:a.jpg` is the key `photos/a.jpg` of the ORIGINALS bucket, and nothing outside can be named.",
  }),
  MAX_IMAGE_BYTES: integer(1024, MAX_PHOTO_BYTES)
    .default(DEFAULT_LIMITS.maxBytes)
    .meta({ description: "Largest original in bytes, from a source or in a POST." }),
  MAX_REDIRECTS: integer(0, 10)
    .default(DEFAULT_LIMITS.maxRedirects)
    .meta({ description: "Most redirects a source may answer with; each is checked like the first address." }),
  CACHE_MAX_AGE: integer(0, 31_536_000)
    .default(86_400)
    .meta({ description: "Seconds for which a thumbnail is fresh, here and at the client." }),
  FAILURE_MAX_AGE: integer(0, 3600)
    .default(10)
    .meta({ description: "Seconds for which a source that failed is not asked again." }),
  CORS_ORIGINS: list.prefault("*").meta({
    description:
      "Origins of web pages whose scripts may read thumbnails, e.g. `https://www.example.com`, separated by commas or spaces; `*` for all.",
  }),
  OWNER_KEY: z
    .string()
    .regex(/^[\w.~+/-]{32,}=*$/, "Expected a bearer token (RFC 6750) of 32 characters or more.")
    .optional()
    .meta({
      description:
        "A secret: the bearer token of owners' requests, which purge and backfill; without it those answer 401.",
    }),
  ...classifyVariables,
  PRESETS: z
    .string()
    .transform(parsePresets)
    .default({})
    .meta({ description: 'Named options as a JSON object, e.g. `{"archive": "size=112,format=png"}`.' }),
  PREGENERATE: z.string().default("_").meta({
    description:
      "Thumbnails that the queue makes of every original in the bucket: options as in URLs, or names of presets, between white space, e.g. `_ size=112,format=webp`.",
  }),
});

export interface Config {
  readonly signing: SigningPolicy;
  readonly sourcePolicy: SourcePolicy;
  readonly dnsCheck: string | undefined;
  readonly originalsPrefix: string;
  readonly maxImageBytes: number;
  readonly cacheMaxAge: number;
  readonly failureMaxAge: number;
  readonly corsOrigins: readonly string[];
  readonly ownerKey: string | undefined;
  readonly classifier: ClassifierConfig;
  readonly presets: Presets;
  readonly pregenerate: readonly ThumbnailSpec[];
}

/** @throws Error naming each variable, what is expected and what came. */
export function parseConfig(env: object): Config {
  const result = variables.safeParse(env);
  if (!result.success) throw new Error(`The configuration is not valid:\n${z.prettifyError(result.error)}`);
  const values = result.data;
  return {
    signing: { keys: values.SIGNING_KEYS, allowUnsigned: values.ALLOW_UNSIGNED === "true" },
    sourcePolicy: {
      ...DEFAULT_LIMITS,
      rules: values.SOURCE_HOSTS,
      selfHosts: values.SELF_HOSTS,
      maxBytes: values.MAX_IMAGE_BYTES,
      maxRedirects: values.MAX_REDIRECTS,
    },
    dnsCheck: values.DNS_CHECK,
    originalsPrefix: values.ORIGINALS_PREFIX,
    maxImageBytes: values.MAX_IMAGE_BYTES,
    cacheMaxAge: values.CACHE_MAX_AGE,
    failureMaxAge: values.FAILURE_MAX_AGE,
    corsOrigins: values.CORS_ORIGINS,
    ownerKey: values.OWNER_KEY,
    classifier: classifierConfig(values),
    presets: values.PRESETS,
    pregenerate: readPregenerate(values.PREGENERATE, values.PRESETS),
  };
}

function readPregenerate(text: string, presets: Presets): ThumbnailSpec[] {
  try {
    return parsePregenerate(text, presets);
  } catch (error) {
    throw new Error(`The configuration is not valid:\n✖ ${messageOf(error)}\n  → at PREGENERATE`);
  }
}

function parseKeys(text: string, context: z.RefinementCtx): KeyRing {
  const secret = z.string().refine((value) => new TextEncoder().encode(value).length >= MIN_SECRET_BYTES);
  const entries = z.record(z.string().regex(KEY_ID), secret).safeParse(parseJson(text));
  if (entries.success) return new Map(Object.entries(entries.data));
  // Nothing of the text is repeated: messages end up in logs.
  context.addIssue(`Expected JSON like {"web-1": "<secret>"} with secrets of at least ${MIN_SECRET_BYTES} bytes.`);
  return z.NEVER;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseRules(texts: string[], context: z.RefinementCtx): SourceRule[] {
  try {
    return texts.map(parseSourceRule);
  } catch (error) {
    context.addIssue(messageOf(error));
    return z.NEVER;
  }
}

function parsePresets(text: string, context: z.RefinementCtx): Presets {
  try {
    const presets = z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), z.string()).parse(JSON.parse(text));
    for (const options of Object.values(presets)) parseOptions(options, thumbnailOptions);
    return presets;
  } catch (error) {
    context.addIssue(`Expected JSON like {"archive": "size=112"}: ${messageOf(error)}`);
    return z.NEVER;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
