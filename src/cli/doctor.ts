/** `thumbnet-edge doctor`: what is wrong with this installation, its configuration and a running service, and what mends it. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { encodePng } from "../imaging/png-encode.ts";
import { makeThumbnail } from "../pipeline.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { type Command, messageOf } from "./command.ts";
import { checkConfiguration } from "./doctor-configuration.ts";
import { checkService } from "./doctor-service.ts";
import { readStudents } from "./students.ts";

/** Says that all is well, or throws an Error that says what is not and what mends it. */
export type Check = readonly [what: string, check: () => Promise<string>];

const MODELS = new URL("../../models/", import.meta.url);
const MANIFEST = new URL("../../package.json", import.meta.url);
const manifest = z.object({ engines: z.object({ node: z.string() }) });

export const doctor: Command = {
  summary: "Checks this installation, wrangler.toml and, if named, a service.",
  usage: "[--service <URL>]",
  options: { service: { type: "string", short: "s", value: "URL", help: "A running service to check as well." } },
  async run({ values: { service } }) {
    const checks: Check[] = [
      ["Node", checkNode],
      ["model files", checkModels],
      ["downscalers", checkDownscalers],
      ...(await checkConfiguration().catch((error): Check[] => [["configuration", () => Promise.reject(error)]])),
      ...(service === undefined ? [] : checkService(service)),
    ];
    let failed = 0;
    for (const [what, check] of checks) {
      try {
        console.log(`✓ ${what}: ${await check()}`);
      } catch (error) {
        failed += 1;
        console.log(`✗ ${what}: ${messageOf(error)}`);
      }
    }
    console.log(failed ? `\n${failed} of ${checks.length} checks failed.` : "\nAll is well.");
    return failed ? 1 : 0;
  },
};

async function checkNode(): Promise<string> {
  const { node } = process.versions;
  const { engines } = manifest.parse(JSON.parse(await readFile(MANIFEST, "utf8")));
  const oldest = engines.node.replace(/^>=/, "");
  if (node.localeCompare(oldest, "en", { numeric: true }) >= 0) return node;
  throw new Error(
    `Expected Node ${oldest} or newer, but this is ${node}. Install a newer one from https://nodejs.org.`,
  );
}

async function checkModels(): Promise<string> {
  const cards = [...(await nodeRuntime(MODELS)).downscalers, ...(await readStudents(MODELS))].map(({ card }) => card);
  for (const { name, sha256, steps } of cards) {
    const digests = await Promise.all((steps ?? [name]).map(fileDigest));
    const digest = steps ? sha256Of(digests.map((line) => `${line}\n`).join("")) : digests[0];
    if (digest === sha256) continue;
    const files = (steps ?? [name]).map((file) => `models/${file}/1/model.onnx`).join(" or ");
    throw new Error(`${files} is not the file that the card of ${name} names. Restore both from one release.`);
  }
  return `${cards.map(({ name }) => name).join(", ")} are what their cards say`;
}

const sha256Of = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const fileDigest = async (name: string) => sha256Of(await readFile(new URL(`${name}/1/model.onnx`, MODELS)));

async function checkDownscalers(): Promise<string> {
  const runtime = await nodeRuntime(MODELS);
  const side = 32;
  const photo = await encodePng({ width: side, height: side, data: new Uint8Array(side * side * 3).fill(128) });
  for (const { size } of runtime.downscalers) await makeThumbnail(photo, { size, format: "png" }, runtime);
  return `make thumbnails of ${runtime.downscalers.map(({ size }) => size).join(" and ")} pixels`;
}
