import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { signPath } from "../../src/client/sign.ts";
import { type SigningVector, VECTORS_FILE } from "../vectors/make-signing.ts";
import { inProcess } from "./run.ts";

const SECRET = "correct horse battery staple, and 32 bytes";
const OTHER = "another secret that has its own 32 bytes.";
const RING = { SIGNING_KEYS: JSON.stringify({ "web-1": SECRET, "web-2": OTHER }) };
const PATH = "/thumbnail/size=56/https://example.com/a.jpg?b=c";

test("signs as the vectors say, and keeps the host of a URL", async () => {
  const vectors: SigningVector[] = JSON.parse(readFileSync(VECTORS_FILE, "utf8"));
  const [vector] = vectors.filter(({ path }) => !path.includes("exp="));
  if (!vector) throw new Error("Expected a vector without an expiry.");
  const key = { SIGNING_KEY_ID: vector.keyId, SIGNING_SECRET: vector.secret };
  const { stdout } = await inProcess(["sign", vector.path, `https://thumbs.example.com${vector.path}`], key);
  expect(stdout.split("\n")).toEqual([vector.signed, `https://thumbs.example.com${vector.signed}`, ""]);
});

test.each([
  { text: PATH, base: "" },
  { text: `https://thumbs.example.com${PATH}`, base: "https://thumbs.example.com" },
  { text: `https://shop.example.com/img/small${PATH}`, base: "https://shop.example.com/img/small" },
  { text: "http://127.0.0.1:8787/classify/_/https://example.com/thumbnail/a/b.jpg", base: "http://127.0.0.1:8787" },
  { text: "HTTPS://x.example/thumbnail/size=56", base: "HTTPS://x.example" },
])("of $text the path below $base is signed and verified", async ({ text, base }) => {
  const { stdout } = await inProcess(["sign", text], RING);
  expect(stdout.trim()).toBe(`${base}${await signPath(text.slice(base.length), { id: "web-1", secret: SECRET })}`);
  expect(await inProcess(["verify", stdout.trim()], RING)).toMatchObject({ code: 0, stderr: "" });
});

test("what is signed is verified until it ends, and not if anything was changed", async () => {
  const sign = async (...args: string[]) => (await inProcess(["sign", PATH, ...args], RING)).stdout.trim();
  const [good, ending, other] = [await sign(), await sign("-e", "2h"), await sign("--key-id", "web-2")];
  const verified = await inProcess(["verify", good, ending, `https://thumbs.example.com${other}`], RING);
  expect(verified.code).toBe(0);
  expect(verified.stdout).toMatch(/^good without an end: .*\ngood until 20\d\d-.*\ngood without an end: https:/);
  const changed = await inProcess(["verify", good.replace("56", "112"), good], RING);
  expect([changed.code, changed.stdout]).toEqual([1, expect.stringMatching(/^invalid-signature: .*112.*\n.*\ngood/)]);
  const stranger = await inProcess(["verify", other], { SIGNING_KEYS: JSON.stringify({ "web-1": SECRET }) });
  expect(stranger.code).toBe(1);
});

test.each([
  { args: ["sign", PATH], env: {}, message: /There is no signing key\. The key comes from the environment/ },
  { args: ["sign"], env: RING, message: /Expected URLs or paths/ },
  { args: ["sign", PATH, "-e", "yesterday"], env: RING, message: /Expected a time to come for --expires/ },
  { args: ["sign", PATH, "-e", "2001-01-01"], env: RING, message: /Expected a time to come for --expires/ },
  {
    args: ["sign", PATH, "--key-id", "web-3"],
    env: RING,
    message: /no key "web-3" in SIGNING_KEYS; there is web-1, web-2/,
  },
  { args: ["sign", "/health"], env: RING, message: /Expected a URL, or a path like/ },
  { args: ["sign", "thumbnail/_/https://example.com/ab/c.jpg"], env: RING, message: /Expected a URL, or a path like/ },
  { args: ["sign", "thumbs.example.com/thumbnail/_/r2:a"], env: RING, message: /Expected a URL, or a path like/ },
  { args: ["sign", "/thumbnail/_,sig=a.b/r2:a"], env: RING, message: /Expected an unsigned path/ },
  { args: ["verify", "thumbnail/_/r2:a"], env: RING, message: /Expected a URL, or a path like/ },
  { args: ["sign", PATH], env: { SIGNING_KEYS: SECRET }, message: /SIGNING_KEYS should be JSON/ },
  { args: ["verify", PATH], env: {}, message: /There is no signing key/ },
])("$args with $env ends with 2 and says what is missing", async ({ args, env, message }) => {
  const { code, stdout, stderr } = await inProcess(args, env);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain(SECRET);
});
