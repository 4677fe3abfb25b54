/** The part of `doctor` that reads the deployment in the current folder: wrangler.toml, .dev.vars and what they name. */
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { type Config, parseConfig } from "../config.ts";
import type { Check } from "./doctor.ts";
import { checkOrigins } from "./doctor-origins.ts";
import { readStudentsAndTeacher } from "./students.ts";

/** The first that is there counts, as for wrangler. */
const CONFIGURATIONS = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];
const BUCKETS = ["THUMBNAILS", "ORIGINALS"];

/** What of wrangler's own reader is used here; wrangler is there wherever a Worker is deployed from. */
interface Wrangler {
  unstable_readConfig(args: { config: string }): {
    vars: Record<string, unknown>;
    r2_buckets: readonly { binding: string; bucket_name?: string }[];
    ratelimits?: readonly { name: string }[];
  };
}

/** Nothing to check where there is no deployment. */
export async function checkConfiguration(): Promise<Check[]> {
  const file = CONFIGURATIONS.find((name) => existsSync(name));
  if (file === undefined) return [];
  const wrangler = await import("wrangler" as string).catch(() => undefined);
  if (!isWrangler(wrangler)) {
    return [[file, async () => fail("It cannot be read, because wrangler is not installed here. Run npm install.")]];
  }
  const { vars, r2_buckets: buckets, ratelimits = [] } = wrangler.unstable_readConfig({ config: file });
  const secrets = existsSync(".dev.vars") ? parseEnv(readFileSync(".dev.vars", "utf8")) : {};
  const parse = () => parseConfig({ ...vars, ...secrets });

  return [
    [
      "bindings",
      async () =>
        checkBindings(file, [...buckets.map(({ binding }) => binding), ...ratelimits.map(({ name }) => name)]),
    ],
    [
      "variables",
      async () => `${Object.keys({ ...vars, ...secrets }).length} in ${file} and .dev.vars are valid${isOpen(parse())}`,
    ],
    [
      "origins",
      async () => {
        const { origins } = parse().classifier;
        return checkOrigins(
          origins,
          (await readStudentsAndTeacher()).map(({ card }) => card),
        );
      },
    ],
  ];
}

function checkBindings(file: string, bindings: readonly string[]): string {
  const missing = BUCKETS.filter((binding) => !bindings.includes(binding));
  if (missing.length)
    fail(`${file} has no R2 bucket for ${missing.join(" and ")}. Add [[r2_buckets]] with that binding.`);
  if (!bindings.includes("RATE_LIMITER")) fail(`${file} has no RATE_LIMITER. Add [[ratelimits]] with that name.`);
  return bindings.join(", ");
}

function isOpen({ signing, sourcePolicy }: Config): string {
  if (signing.allowUnsigned) return "; ALLOW_UNSIGNED serves everyone";
  if (signing.keys.size === 0) return "; no SIGNING_KEYS here, so nothing is served unless they are set as a secret";
  return sourcePolicy.rules.length ? "" : "; no SOURCE_HOSTS, so only uploads and r2: sources are served";
}

function isWrangler(module: unknown): module is Wrangler {
  return typeof module === "object" && module !== null && "unstable_readConfig" in module;
}

function fail(message: string): never {
  throw new Error(message);
}
