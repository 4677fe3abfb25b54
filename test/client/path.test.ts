import { expect, test } from "vitest";
import { requestPath } from "../../src/client/path.ts";
import type { Source } from "../../src/client/types.ts";
import { parseSource, type Source as ServiceSource } from "../../src/request/source.ts";

const http = (url: string): ServiceSource => ({ kind: "http", url });
const r2 = (key: string): ServiceSource => ({ kind: "r2", key });

const SOURCES: [Source, string, ServiceSource][] = [
  ["https://example.com/a.jpg", "https://example.com/a.jpg", http("https://example.com/a.jpg")],
  ["https://example.com/a?b=c&d=%2F", "https://example.com/a?b=c&d=%2F", http("https://example.com/a?b=c&d=%2F")],
  [new URL("https://example.com/ä b#top"), "https://example.com/%C3%A4%20b", http("https://example.com/%C3%A4%20b")],
  ["https://example.com/x/../a.jpg", "https://example.com/a.jpg", http("https://example.com/a.jpg")],
  ["https://example.com/?", "b64:aHR0cHM6Ly9leGFtcGxlLmNvbS8_", http("https://example.com/?")],
  ["r2:some/key.jpg", "r2:some/key.jpg", r2("some/key.jpg")],
  [{ r2: "some/key.jpg" }, "r2:some/key.jpg", r2("some/key.jpg")],
  [{ r2: "ä b?c#d%e" }, "r2:%C3%A4%20b%3Fc%23d%25e", r2("ä b?c#d%e")],
  [{ r2: "a/../b" }, "r2:a%2F..%2Fb", r2("a/../b")],
  [{ r2: "a/%2e%2E/b" }, "r2:a/%252e%252E/b", r2("a/%2e%2E/b")],
];

test.each(SOURCES)("the source %j is sent as %s, and is what the service reads", (source, segment, parsed) => {
  const path = requestPath("thumbnail", {}, source);
  expect(path).toBe(`/thumbnail/_/${segment}`);
  const { pathname, search } = new URL(path, "https://localhost");
  expect(`${pathname}${search}`).toBe(path);
  expect(parseSource(path.slice("/thumbnail/_/".length))).toEqual(parsed);
});

test("options come in one order, absent ones left out, a preset first", () => {
  const options = { size: 112, quality: undefined, format: "webp", preset: "archive" };
  expect(requestPath("thumbnail", options, "r2:a")).toBe("/thumbnail/archive,format=webp,size=112/r2:a");
});

test.each(["", "photo.jpg", "ftp://example.com/a", "//example.com/a", "data:image/png,a", "https://", { r2: "" }])(
  "the source %j is refused",
  (source) => {
    expect(() => requestPath("thumbnail", {}, source)).toThrow(TypeError);
  },
);
