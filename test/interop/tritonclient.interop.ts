import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MODEL } from "../origin/conversations.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { executable, hasPython } from "./python.ts";
import type { ServerProcess } from "./server-process.ts";
import { startTriton } from "./triton/start.ts";

const MODELS = process.env.ORIGIN_MODELS ?? "models";

/** Both servers pass the same checks, so it is the servers that are equal and not the checks that are lax. */
describe.skipIf(!hasPython)("NVIDIA's own client finds nothing to complain about", () => {
  let origin: RunningOrigin;
  let triton: ServerProcess;
  beforeAll(async () => {
    origin = await startOrigin();
    triton = await startTriton(MODELS, [MODEL]);
  });
  afterAll(async () => {
    await origin?.stop();
    await triton?.stop();
  });

  const check = (port: number) =>
    execFileSync(
      executable("clients", "python"),
      ["test/interop/clients/tritonclient_check.py", `127.0.0.1:${port}`, MODEL, `${MODELS}/${MODEL}/labels.txt`],
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );

  test("in our origin", () => expect(check(origin.port)).toBe("72 forms agree\n"));
  test("in Triton", () => expect(check(triton.port)).toBe("72 forms agree\n"));
});
