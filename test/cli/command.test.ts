import { expect, test } from "vitest";
import { messageOf } from "../../src/cli/command.ts";

const refused = new Error("connect ECONNREFUSED 127.0.0.1:80");

test.each([
  { error: new TypeError("fetch failed", { cause: refused }), message: `fetch failed: ${refused.message}` },
  { error: new TypeError("fetch failed"), message: "fetch failed" },
  // Messages of our own say all there is to say.
  { error: new Error("It is not running.", { cause: refused }), message: "It is not running." },
  { error: "thrown text", message: "thrown text" },
])("$error is told as $message", ({ error, message }) => {
  expect(messageOf(error)).toBe(message);
});
