/** The URL contract as properties: whatever is sent, one meaning has one text, and no text has two meanings. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { thumbnailKey } from "../../src/cache/key.ts";
import { Problem } from "../../src/errors.ts";
import { FORMATS } from "../../src/imaging/encode.ts";
import { downscalerFor, type ThumbnailSpec } from "../../src/pipeline.ts";
import { canonicalOptions, parseOptions, SIZES, thumbnailOptions } from "../../src/request/options.ts";
import { authorize } from "../../src/request/sign.ts";
import { canonicalSource, parseSource, type Source } from "../../src/request/source.ts";
import { parseThumbnailGet } from "../../src/request/thumbnail.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";

const { card } = downscalerFor(56, await nodeRuntime());

const http = fc
  .webUrl({ withQueryParameters: true, withFragments: true, validSchemes: ["http", "https"] })
  .filter((text) => text.length < 600 && URL.canParse(text));
const r2Key = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" }).filter((key) => key.isWellFormed());
const source: fc.Arbitrary<Source> = fc.oneof(
  http.map((url): Source => parseSource(url)),
  r2Key.map((key): Source => ({ kind: "r2", key })),
);
const base64Url = (text: string) => Buffer.from(text).toString("base64url");

describe("a source", () => {
  test("is the same in each of its forms", () => {
    fc.assert(
      fc.property(http, (url) => {
        const { href } = new URL(url);
        const expected = parseSource(url);
        expect(parseSource(href)).toEqual(expected);
        expect(parseSource(`b64:${base64Url(href)}`)).toEqual(expected);
        expect(parseSource(encodeURIComponent(href))).toEqual(expected);
        expect(parseSource(href.replace("://", ":/"))).toEqual(expected);
        expect(parseSource(href.replace(/^http/, "HTTP"))).toEqual(expected);
      }),
    );
  });

  test("is read back from its canonical text", () => {
    fc.assert(
      fc.property(source, (value) => {
        expect(parseSource(canonicalSource(value))).toEqual(value);
      }),
    );
  });

  test("shares its canonical text with no other", () => {
    fc.assert(
      fc.property(source, source, (one, other) => {
        expect(canonicalSource(one) === canonicalSource(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  test("has no fragment, user or password, so that nothing but its resource tells two apart", () => {
    fc.assert(
      fc.property(http, (url) => {
        const parsed = parseSource(url);
        expect(new URL(canonicalSource(parsed))).toMatchObject({ hash: "", username: "", password: "" });
      }),
    );
  });
});

describe("a source of which there could be no name, or no short one, is refused", () => {
  const url = (letters: string) => `b64:${base64Url(`https://example.com/${letters}`)}`;
  test.each<[string, string, string]>([
    ["a key that is not Unicode, as JSON can have it", "r2:\ud800", "well-formed"],
    ["a URL that is too long", url("a".repeat(2029)), "at most 2048 characters, but got 2049"],
    ["a URL that is too long once it is percent-encoded", url("é".repeat(339)), "but got 2054"],
  ])("%s", (_name, text, detail) => {
    expect(() => parseSource(text)).toThrow(
      expect.objectContaining({ code: "invalid-source", message: expect.stringContaining(detail) }),
    );
  });

  test("and a URL that is just short enough is not", () => {
    expect(parseSource(url("a".repeat(2028)))).toMatchObject({ kind: "http" });
    expect(parseSource(url("é".repeat(338)))).toMatchObject({ kind: "http" });
  });
});

const spec: fc.Arbitrary<ThumbnailSpec> = fc.record(
  {
    size: fc.constantFrom(56, 112),
    format: fc.constantFrom(...FORMATS),
    quality: fc.integer({ min: 1, max: 100 }),
    fit: fc.constantFrom("fill" as const, "cover" as const),
  },
  { requiredKeys: ["size", "format"] },
);

test("no two sources or options share a cache key, however long the source", async () => {
  const long = fc.tuple(fc.constant("x".repeat(900)), http).map(([tail, url]): Source => {
    const { origin } = new URL(url);
    return parseSource(`${origin}/${tail}?${base64Url(url).slice(0, 400)}`);
  });
  const any = fc.tuple(fc.oneof(source, long), spec);
  await fc.assert(
    fc.asyncProperty(any, any, async ([sourceA, specA], [sourceB, specB]) => {
      const same =
        canonicalSource(sourceA) === canonicalSource(sourceB) &&
        canonicalOptions({ ...specA }) === canonicalOptions({ ...specB });
      expect((await thumbnailKey(sourceA, specA, card)) === (await thumbnailKey(sourceB, specB, card))).toBe(same);
    }),
  );
});

describe("options", () => {
  const pairs = fc.record(
    {
      size: fc.constantFrom(...SIZES),
      format: fc.constantFrom("webp", "jpeg", "avif", "auto"),
      quality: fc.integer({ min: 1, max: 100 }).map(String),
      fit: fc.constantFrom("fill", "cover"),
    },
    { requiredKeys: ["format"] },
  );

  test("mean the same in every order, encoded or not", () => {
    fc.assert(
      fc.property(pairs, fc.infiniteStream(fc.nat()), (options, order) => {
        const entries = Object.entries(options).map(([name, value]) => `${name}=${value}`);
        const shuffled = entries.map((entry) => [order.next().value, entry] as const).sort(([a], [b]) => a - b);
        const text = shuffled.map(([, entry]) => entry).join(",");
        const parsed = parseOptions(text, thumbnailOptions);
        expect(parseOptions(entries.join(","), thumbnailOptions)).toEqual(parsed);
        expect(parseOptions(encodeURIComponent(text), thumbnailOptions)).toEqual(parsed);
        expect(parseOptions(canonicalOptions({ ...parsed }), thumbnailOptions)).toEqual(parsed);
      }),
    );
  });
});

/** Runs `parse`, whose only exceptions may be Problems of the client's making. */
async function onlyProblems(parse: () => unknown): Promise<void> {
  try {
    await parse();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(500);
  }
}

describe("any text whatever", () => {
  const wild = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "binary-ascii" }),
    fc.stringMatching(/^(https?:\/{0,3}|r2:|b64:|HTTPS:|%68ttps:)[ -~]{0,40}$/),
    fc.stringMatching(/^(size|format|quality|fit|_|__proto__|constructor)?[=,%a-z0-9_-]{0,30}$/),
  );

  test("is a source or a problem", () =>
    fc.assert(fc.asyncProperty(wild, (text) => onlyProblems(() => parseSource(text)))));

  test("is options or a problem", () =>
    fc.assert(fc.asyncProperty(wild, (text) => onlyProblems(() => parseOptions(text, thumbnailOptions)))));

  test("is a request or a problem", () =>
    fc.assert(
      fc.asyncProperty(wild, wild, (options, rest) =>
        onlyProblems(() => parseThumbnailGet({ target: `/thumbnail/${options}/${rest}`, accept: rest }, {})),
      ),
    ));

  test("is signed or a problem", () =>
    fc.assert(
      fc.asyncProperty(wild, (text) =>
        onlyProblems(() =>
          authorize(`/thumbnail/${text}`, { keys: new Map([["a", "b".repeat(32)]]), allowUnsigned: false }, 0),
        ),
      ),
    ));
});
