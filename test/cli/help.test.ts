import { expect, test } from "vitest";
import { inProcess } from "./run.ts";

test.each([[[]], [["--help"]], [["-h"]], [["help"]]])("%j lists the commands", async (args) => {
  const { code, stdout } = await inProcess(args);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^Usage: thumbnet-edge <command>[\s\S]*\n {2}doctor {5}Checks/),
  ]);
});

test.each(["thumbnail", "sheet", "classify", "evaluate", "sign", "verify", "backfill", "doctor"])(
  "%s explains itself",
  async (name) => {
    const { code, stdout } = await inProcess([name, "--help"]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^Usage: thumbnet-edge ${name} [\\s\\S]*\n$`)),
    ]);
  },
);

test("a command that does not exist is answered with those that do", async () => {
  const { code, stderr } = await inProcess(["thumbnials"]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/no command "thumbnials"; there are thumbnail, sheet, /)]);
});
