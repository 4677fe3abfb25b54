import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signPath } from "../../src/client/sign.ts";
import { Problem } from "../../src/errors.ts";
import { authorize, rawTarget, type SigningPolicy } from "../../src/request/sign.ts";
import { type SigningVector, VECTORS_FILE } from "../vectors/make-signing.ts";

const VECTORS: SigningVector[] = JSON.parse(readFileSync(VECTORS_FILE, "utf8"));
const KEY = { id: "web-1", secret: "correct horse battery staple, and 32 bytes" };
const NEXT_KEY = { id: "web-2", secret: "another secret, which also has 32 bytes" };
const CLOSED: SigningPolicy = { keys: new Map([[KEY.id, KEY.secret]]), allowUnsigned: false };
const PHOTO = "/thumbnail/size=56/https://images.example.com/photo.jpg?v=2";
const NOW = Date.parse("2026-11-24T08:00:00Z");

/** The unsigned target, or the problem's code. */
async function outcome(target: string, policy = CLOSED, now = NOW): Promise<string> {
  try {
    return (await authorize(target, policy, now)).target;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

test.each(VECTORS)("the vector holds: $name", async ({ path, keyId, secret, signed }) => {
  const policy = { keys: new Map([[keyId, secret]]), allowUnsigned: false };
  expect(await outcome(signed, policy)).toBe(path.replace(/,exp=\d+/, ""));
});

describe("expiry", () => {
  const expires = new Date("2026-11-24T08:00:00Z");

  test.each([
    ["a millisecond before", -1, PHOTO],
    ["at", 0, "expired-signature"],
    ["after", 1, "expired-signature"],
  ])("%s the expiry", async (_, offset, expected) => {
    expect(await outcome(await signPath(PHOTO, KEY, expires), CLOSED, expires.getTime() + offset)).toBe(expected);
  });

  test("is told to the caller, who caps what caches may keep", async () => {
    const signed = await signPath(PHOTO, KEY, expires);
    expect(await authorize(signed, CLOSED, NOW - 1)).toEqual({ target: PHOTO, expiresAt: expires });
  });

  test.each([
    ["prolonged", (signed: string) => signed.replace(/exp=\d+/, "exp=4102444800")],
    ["removed", (signed: string) => signed.replace(/,exp=\d+/, "")],
    ["written with a leading zero", (signed: string) => signed.replace("exp=", "exp=0")],
    ["of 13 digits", (signed: string) => signed.replace(/exp=\d+/, "exp=9999999999999")],
  ])("%s: the signature fails", async (_, change) => {
    expect(await outcome(change(await signPath(PHOTO, KEY, expires)), CLOSED, NOW - 1)).toBe("invalid-signature");
  });
});

describe("what is no signature", () => {
  const mac = (text: string, secret = KEY.secret) => createHmac("sha256", secret).update(text).digest("base64url");
  const options = "/thumbnail/size=56";
  const rest = "/https://images.example.com/photo.jpg?v=2";
  const good = mac(PHOTO);

  test.each([
    ["none", PHOTO],
    ["an empty one", `${options},sig=${rest}`],
    ["one without key id", `${options},sig=${good}${rest}`],
    ["one with an empty key id", `${options},sig=.${good}${rest}`],
    ["one by an unknown key", `${options},sig=web-9.${good}${rest}`],
    ["one by another secret", `${options},sig=web-1.${mac(PHOTO, "x".repeat(42))}${rest}`],
    [
      "one by the empty secret",
      `${options},sig=web-1.${createHmac("sha256", "").update(PHOTO).digest("base64url")}${rest}`,
    ],
    ["a key id that is a property of every object", `${options},sig=constructor.${good}${rest}`],
    ["a truncated one", `${options},sig=web-1.${good.slice(0, -1)}${rest}`],
    ["a longer one", `${options},sig=web-1.${good}A${rest}`],
    ["a padded one", `${options},sig=web-1.${good}=${rest}`],
    ["hexadecimal", `${options},sig=web-1.${Buffer.from(good, "base64url").toString("hex")}${rest}`],
    ["two of them", `${options},sig=web-1.${good},sig=web-1.${good}${rest}`],
    ["one before another option", `/thumbnail/sig=web-1.${good},size=56${rest}`],
    ["one in place of the options", `/thumbnail/sig=web-1.${mac(`/thumbnail/${rest}`)}${rest}`],
    ["one in the source", `${options}/https://images.example.com/photo.jpg,sig=web-1.${good}?v=2`],
    ["one in the query", `${options}${rest}&sig=web-1.${good}`],
    ["one of another route", `/classify/size=56,sig=web-1.${good}${rest}`],
    ["one of another source", `${options},sig=web-1.${good}/https://images.example.com/other.jpg`],
    ["one of other options", `/thumbnail/size=112,sig=web-1.${good}${rest}`],
    ["one with the route percent-encoded", `/%74humbnail/size=56,sig=web-1.${good}${rest}`],
    ["one with the options percent-encoded", `${options}%2Csig=web-1.${good}${rest}`],
    ["one with the source percent-encoded", `${options},sig=web-1.${good}${rest.replace("photo", "%70hoto")}`],
  ])("%s", async (_, target) => {
    expect(await outcome(target)).toBe("invalid-signature");
  });

  test("the 63 other spellings of the last character", async () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const verdicts = await Promise.all(
      Array.from(alphabet, (last) => outcome(`${options},sig=web-1.${good.slice(0, -1)}${last}${rest}`)),
    );
    expect(verdicts.filter((verdict) => verdict !== "invalid-signature")).toEqual([PHOTO]);
  });
});

describe("the key ring", () => {
  const both: SigningPolicy = {
    keys: new Map([KEY, NEXT_KEY].map(({ id, secret }) => [id, secret])),
    allowUnsigned: false,
  };

  test("rotates: old and new keys hold together, a removed one no longer", async () => {
    const [old, next] = await Promise.all([signPath(PHOTO, KEY), signPath(PHOTO, NEXT_KEY)]);
    expect([await outcome(old, both), await outcome(next, both)]).toEqual([PHOTO, PHOTO]);
    const after = { ...both, keys: new Map([[NEXT_KEY.id, NEXT_KEY.secret]]) };
    expect([await outcome(old, after), await outcome(next, after)]).toEqual(["invalid-signature", PHOTO]);
  });

  test("one key's signature does not hold under another's id", async () => {
    const signed = await signPath(PHOTO, KEY);
    expect(await outcome(signed.replace("sig=web-1.", "sig=web-2."), both)).toBe("invalid-signature");
  });

  test("without keys nothing is served, and the answer says why", async () => {
    const none: SigningPolicy = { keys: new Map(), allowUnsigned: false };
    expect(await outcome(await signPath(PHOTO, KEY), none)).toBe("invalid-signature");
    await expect(authorize(PHOTO, none, NOW)).rejects.toThrow("no SIGNING_KEYS");
  });
});

describe("with unsigned URLs allowed", () => {
  const open: SigningPolicy = { ...CLOSED, allowUnsigned: true };

  test("those without a signature are served as they stand", async () => {
    expect(await outcome(PHOTO, open)).toBe(PHOTO);
  });

  test("those with one are still checked", async () => {
    const signed = await signPath(PHOTO, KEY, new Date(NOW - 1000));
    expect(await outcome(signed, open)).toBe("expired-signature");
    expect(await outcome(signed.replace("photo", "other"), open)).toBe("invalid-signature");
  });
});

test.each([
  ["https://thumbs.example.com/thumbnail/_/https://a.example/b?c", "/thumbnail/_/https://a.example/b?c"],
  ["http://127.0.0.1:8787/thumbnail/_/r2:a?", "/thumbnail/_/r2:a?"],
  ["https://thumbs.example.com", "/"],
])("the raw target of %s is %s", (url, expected) => {
  expect(rawTarget(url)).toBe(expected);
});

test("a proxy that folds the source's slashes does not break the signature", async () => {
  const signed = await signPath(PHOTO, KEY);
  expect(await outcome(signed.replace("https://", "https:/"))).toBe(PHOTO);
});

describe("for any URL", () => {
  const segment = fc.stringMatching(/^[a-zA-Z0-9=,_.~-]{1,30}$/).filter((text) => !/(^|,)(sig|exp)=/.test(text));
  const rest = fc
    .stringMatching(/^(\/[a-zA-Z0-9:/?&=,%._~-]{0,60})?$/)
    .filter((text) => !/\/\.{1,2}(\/|\?|$)|%2e/i.test(text));
  const path = fc
    .tuple(
      segment.filter((text) => !/^\.{1,2}$/.test(text)),
      rest,
    )
    .map(([o, r]) => `/thumbnail/${o}${r}`);

  test("what the client signs is served as it was", async () => {
    await fc.assert(
      fc.asyncProperty(path, fc.option(fc.integer({ min: NOW / 1000 + 1, max: 9e9 })), async (unsigned, seconds) => {
        const { pathname, search } = new URL(unsigned, "https://localhost");
        const expires = seconds === null ? undefined : new Date(seconds * 1000);
        const target = await outcome(await signPath(unsigned, KEY, expires));
        expect(target).toBe(`${pathname}${search}`.replace(/^(\/thumbnail\/[^/?]+\/https?:)\/(?!\/)/i, "$1//"));
      }),
      { numRuns: 2000 },
    );
  });

  test("no change of any one character is served", async () => {
    const edits = fc.tuple(fc.nat(), fc.constantFrom("replace", "insert", "delete"), fc.stringMatching(/^[!-~]$/));
    await fc.assert(
      fc.asyncProperty(path, edits, async (unsigned, [at, edit, character]) => {
        const signed = await signPath(unsigned, KEY, new Date(4_102_444_800_000));
        const index = at % signed.length;
        const end = edit === "insert" ? index : index + 1;
        const mutated = `${signed.slice(0, index)}${edit === "delete" ? "" : character}${signed.slice(end)}`;
        fc.pre(mutated !== signed);
        // The documented exception: the doubled slash of a source's scheme may be folded.
        fc.pre(mutated.replace(/(\/https?:)\/(?!\/)/i, "$1//") !== signed.replace(/(\/https?:)\/(?!\/)/i, "$1//"));
        expect(await outcome(mutated)).toBe("invalid-signature");
      }),
      { numRuns: 5000 },
    );
  });
});
