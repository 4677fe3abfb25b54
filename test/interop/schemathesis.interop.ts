/**
 * The protocol's official description, as `kserve/open-inference-protocol` has it at d49cc23 (Apache-2.0), held against
 * our origin and against Triton by generated requests.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { MODEL } from "../origin/conversations.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { executable, hasPython } from "./python.ts";
import type { ServerProcess } from "./server-process.ts";
import { startTriton } from "./triton/start.ts";

const MODELS = process.env.ORIGIN_MODELS ?? "models";
const SERVER_ERROR = "ST101";
const report = z.object({ failures: z.array(z.object({ code: z.string(), operations: z.array(z.string()) })) });

describe.skipIf(!hasPython)("generated requests from the official description", () => {
  let folder: string;
  let origin: RunningOrigin;
  let triton: ServerProcess;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "schemathesis-"));
    writeFileSync(
      join(folder, "oip.yaml"),
      ofModel(readFileSync("test/interop/clients/open_inference_rest.yaml", "utf8")),
    );
    origin = await startOrigin();
    triton = await startTriton(MODELS, [MODEL]);
  });
  afterAll(async () => {
    await origin?.stop();
    await triton?.stop();
    rmSync(folder, { recursive: true });
  });

  test("find no server error in our origin, and no fault that Triton has not as well", () => {
    const ours = faults(origin.port);
    expect(ours.filter((fault) => fault.startsWith(SERVER_ERROR))).toEqual([]);
    const theirs = new Set(faults(triton.port));
    expect(ours.filter((fault) => !theirs.has(fault))).toEqual([]);
    expect(ours.length).toBeLessThan(theirs.size);
    expect(origin.errors()).toBe("");
  }, 300_000);

  /** Kinds of failures with where they occur. */
  function faults(port: number): string[] {
    const file = join(folder, `${port}.json`);
    const args = ["run", join(folder, "oip.yaml"), "--url", `http://127.0.0.1:${port}`, "--seed", "1"];
    args.push(
      "--max-examples",
      "50",
      "--continue-on-failure",
      "--no-color",
      "--report=json",
      `--report-json-path=${file}`,
    );
    try {
      execFileSync(executable("clients", "schemathesis"), args, { cwd: folder, stdio: "ignore" });
    } catch {
      // It ends with 1 whenever it finds something; a run that broke has left no report to read.
    }
    const { failures } = report.parse(JSON.parse(readFileSync(file, "utf8")));
    return failures.flatMap(({ code, operations }) => operations.map((operation) => `${code} ${operation}`));
  }
});

/** Names a model that exists, so that requests get past the 404, and removes the paths' stray `$`. */
function ofModel(yaml: string): string {
  return yaml
    .replaceAll("${MODEL", "{MODEL")
    .replace(/(type: string\n)(\s+)(name: MODEL_NAME)/g, `$1$2  enum: [${MODEL}]\n$2$3`)
    .replace(/(type: string\n)(\s+)(name: MODEL_VERSION)/g, "$1$2  enum: ['1']\n$2$3");
}
