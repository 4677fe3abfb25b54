import { describe, expect, test } from "vitest";
import { listSettings, parseSettings } from "../../src/origin/settings.ts";

test("without any setting it listens at loopback, on the port that Triton has", () => {
  expect(parseSettings([], {})).toMatchObject({ host: "127.0.0.1", port: 8000, provider: "cpu", models: "models" });
});

test("a flag wins over a variable, a variable over the default", () => {
  const env = { ORIGIN_PORT: "1", ORIGIN_MAX_QUEUE: "7" };
  expect(parseSettings(["--port", "2"], env)).toMatchObject({ port: 2, maxQueue: 7 });
});

describe("a wrong setting is named with what was expected and what came", () => {
  test.each<[string[], Record<string, string>, RegExp]>([
    [["--port", "x"], {}, /--port \(ORIGIN_PORT\): Expected a whole number from 0 to 65535, but got "x"/],
    [["--port", "65536"], {}, /--port .*65535.*"65536"/],
    [[], { ORIGIN_INSTANCES: "0" }, /--instances \(ORIGIN_INSTANCES\).*"0"/],
    [["--provider", "gpu"], {}, /--provider .*"cuda".*but got "gpu"/],
    [["--max-request-bytes", "1e3"], {}, /--max-request-bytes/],
    [[], { ORIGIN_HOST: "" }, /ORIGIN_HOST/],
    [["--nothing", "1"], {}, /--nothing/],
    [["positional"], {}, /positional/],
    [[], { ORIGIN_TOKEN: "a phrase that no header can carry" }, /ORIGIN_TOKEN.*Expected letters, digits and/],
  ])("%j %j", (args, env, message) => {
    expect(() => parseSettings(args, env)).toThrow(message);
  });

  test("a bad token is not repeated", () => {
    expect(() => parseSettings([], { ORIGIN_TOKEN: "hunter2" })).toThrow(/ORIGIN_TOKEN.*but got a secret/);
    expect(() => parseSettings([], { ORIGIN_TOKEN: "hunter2" })).not.toThrow(/hunter2/);
  });
});

test.each(["0123456789abcdef", "c2VjcmV0IG9mIDIwIGJ5dGVz==", "a-b.c_d~e+f/g-0123"])(
  "the token %s is taken",
  (token) => {
    expect(parseSettings([], { ORIGIN_TOKEN: token }).token).toBe(token);
  },
);

test("both sides of a limit", () => {
  expect(parseSettings(["--port", "65535"], {}).port).toBe(65535);
  expect(parseSettings(["--port", "0"], {}).port).toBe(0);
});

test("every setting is described with flag, variable and default", () => {
  for (const { flag, variable, description } of listSettings()) {
    expect(description).not.toBe("");
    expect(variable).toBe(`ORIGIN_${flag.slice(2).replaceAll("-", "_").toUpperCase()}`);
  }
  expect(listSettings()).toContainEqual(
    expect.objectContaining({ flag: "--max-queue", variable: "ORIGIN_MAX_QUEUE", preset: "16384" }),
  );
});
