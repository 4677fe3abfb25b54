/** Generated requests from the service's own description, against the Worker in workerd with a real origin behind it. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { executable, hasPython } from "./python.ts";

const OWNER_KEY = "an-owner-key-of-more-than-32-characters";

/**
 * Whether generated data is accepted is left out: that quality goes with some formats only, and what a source may be, are
 * rules that a JSON schema of texts does not carry.
 */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
  "allow_header_conformance",
  "ignored_auth",
];

const report = z.object({
  failures: z.array(z.object({ code: z.string(), operations: z.array(z.string()) })),
});

describe.skipIf(!hasPython)("generated requests from the service's description", () => {
  let folder: string;
  let origin: RunningOrigin;
  let worker: TestWorker;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "openapi-"));
    origin = await startOrigin();
    // No source hosts: what a source on the internet answers is not the service's own conformance.
    worker = await startWorker({ SOURCE_HOSTS: "", ORIGINS: origin.url }, { OWNER_KEY });
    await worker.env.ORIGINALS.put("examples/church.jpg", readFileSync("examples/photos/church.jpg"));
  });
  afterAll(async () => {
    await worker?.close();
    await origin?.stop();
    rmSync(folder, { recursive: true });
  });

  test("the examples of the description are answered with 200", async () => {
    for (const path of [
      "/thumbnail/size=56/r2%3Aexamples%2Fchurch.jpg",
      "/classify/size=56/r2%3Aexamples%2Fchurch.jpg",
    ]) {
      const response = await worker.fetch(path);
      expect([path, response.status]).toEqual([path, 200]);
    }
  });

  test("find no server error, and no answer that the description does not have", async () => {
    const file = join(folder, "report.json");
    const args = ["run", new URL("/openapi.json", worker.url).href, "--seed", "1", "--max-examples", "40"];
    args.push("--checks", CHECKS.join(), "--header", `Authorization:Bearer ${OWNER_KEY}`);
    args.push("--continue-on-failure", "--no-color", "--report=json", `--report-json-path=${file}`);
    // Not synchronously: who reads what workerd logs is this process, and a full pipe would halt the Worker.
    const output = await promisify(execFile)(executable("clients", "schemathesis"), args, {
      cwd: folder,
      maxBuffer: 64 * 2 ** 20,
    }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error instanceof Error && "stdout" in error ? String(error.stdout) : String(error)),
    );
    expect(output).not.toContain("Schema Error");
    // A GET that has lost its source is told so, rather than that it should have been a POST.
    const known = [{ code: "ST204", operations: ["GET /classify/{options}", "GET /thumbnail/{options}"] }];
    expect(report.parse(JSON.parse(readFileSync(file, "utf8"))).failures, output).toEqual(known);
  }, 300_000);
});
