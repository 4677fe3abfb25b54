import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { signPath } from "../../src/client/sign.ts";
import { type SigningVector, signingVectors, VECTORS_FILE } from "../vectors/make-signing.ts";

const run = promisify(execFile);
const VECTORS: SigningVector[] = JSON.parse(readFileSync(VECTORS_FILE, "utf8"));
const KEY = { id: "web-1", secret: "correct horse battery staple, and 32 bytes" };

test("the committed vectors are those that the script makes", () => {
  expect(VECTORS).toEqual(signingVectors());
});

test.each(VECTORS)("the client signs $name", async ({ path, keyId, secret, signed }) => {
  const [, expiry] = /,exp=(\d+)/.exec(path) ?? [];
  const expires = expiry ? new Date(Number(expiry) * 1000) : undefined;
  expect(await signPath(path.replace(/,exp=\d+/, ""), { id: keyId, secret }, expires)).toBe(signed);
});

test("the client signs a path in the form in which it is sent", async () => {
  const sent = await signPath("/thumbnail/_/https://example.com/x/../ä b.jpg#fragment", KEY);
  expect(sent.replace(/,sig=[^/]+/, "")).toBe("/thumbnail/_/https://example.com/%C3%A4%20b.jpg");
  expect(sent).toBe(await signPath("/thumbnail/_/https://example.com/%C3%A4%20b.jpg", KEY));
});

test.each(["/thumbnail", "/thumbnail/", "/", "", "/thumbnail/_,sig=a.b/r2:x", "/thumbnail/exp=1/r2:x"])(
  "the client refuses to sign %j",
  async (path) => {
    await expect(signPath(path, KEY)).rejects.toThrow(TypeError);
  },
);

test.each([new Date("nonsense"), new Date(-1), new Date(8.64e15)])("the client refuses the expiry %s", async (date) => {
  await expect(signPath("/thumbnail/_/r2:x", KEY, date)).rejects.toThrow(TypeError);
});

describe("the examples give what the vectors say", () => {
  const GO_BINARY = join(mkdtempSync(join(tmpdir(), "sign-")), "sign");
  const EXAMPLES = [
    { file: "sign.py", tool: "python3", command: ["python3", "examples/sign/sign.py"] },
    { file: "sign.php", tool: "php", command: ["php", "examples/sign/sign.php"] },
    { file: "sign.sh", tool: "openssl", command: ["sh", "examples/sign/sign.sh"] },
    { file: "sign.go", tool: "go", command: [GO_BINARY], build: ["build", "-o", GO_BINARY, "examples/sign/sign.go"] },
  ];

  test.for(EXAMPLES)(
    "$file",
    { timeout: 120_000 },
    async ({ file, tool, command: [program = "", ...args], build }, { skip }) => {
      if (spawnSync(tool, ["--help"]).error) {
        console.warn(`NOT CHECKED: examples/sign/${file}, because ${tool} is not on this machine.`);
        return skip();
      }
      if (build) await run(tool, build);
      for (const { path, keyId, secret, signed } of VECTORS) {
        const env = { ...process.env, SIGNING_KEY_ID: keyId, SIGNING_SECRET: secret };
        const { stdout } = await run(program, [...args, path], { env });
        expect(stdout.trimEnd()).toBe(signed);
      }
      const env = { ...process.env, SIGNING_KEY_ID: KEY.id, SIGNING_SECRET: KEY.secret };
      for (const path of ["/thumbnail", "https://example.com/thumbnail/_/r2:x", "thumbnail/_/r2:x"]) {
        await expect(run(program, [...args, path], { env })).rejects.toThrow(/Expected a path like/);
      }
    },
  );
});
