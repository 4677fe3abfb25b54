import { describe, expect, it } from "vitest";
import { parseConfig } from "../src/config.ts";

describe("the configuration", () => {
  it("has defaults for everything, and they are closed: no source, no unsigned request, no owner", () => {
    const config = parseConfig({});
    expect(config.sourcePolicy.rules).toEqual([]);
    expect(config.signing.allowUnsigned).toBe(false);
    expect(config.signing.keys.size).toBe(0);
    expect(config.ownerKey).toBeUndefined();
  });

  it("ignores bindings and variables of others", () => {
    expect(() => parseConfig({ THUMBNAILS: {}, NODE_ENV: "test" })).not.toThrow();
  });

  it.each([
    ["MAX_IMAGE_BYTES", "1023", "1024"],
    ["MAX_IMAGE_BYTES", "24000001", "24000000"],
    ["MAX_IMAGE_BYTES", "many", "number"],
    ["MAX_REDIRECTS", "11", "10"],
    ["MAX_REDIRECTS", "-1", "0"],
    ["CACHE_MAX_AGE", "-1", "0"],
    ["CACHE_MAX_AGE", "1.5", "whole number"],
    ["CACHE_MAX_AGE", "", "whole number"],
    ["ALLOW_UNSIGNED", "yes", "true"],
    ["SOURCE_HOSTS", "ftp://example.com", "source rules"],
    ["SIGNING_KEYS", '{"web": "short"}', "32"],
    ["SIGNING_KEYS", "[]", "JSON"],
    ["OWNER_KEY", "short", "32"],
    ["PRESETS", "{", "JSON"],
    ["PRESETS", '{"Bad Name": "size=56"}', "JSON"],
    ["PRESETS", '{"small": "size=57"}', "size"],
    ["PREGENERATE", "size=57", "size"],
    ["PREGENERATE", "_ nameless", "preset"],
    ["PREGENERATE", "format=auto", "auto"],
  ])("refuses %s=%s, naming the variable and what is expected", (name, value, expected) => {
    const parse = () => parseConfig({ [name]: value });
    expect(parse).toThrow(name);
    expect(parse).toThrow(expected);
  });

  it.each([
    ["MAX_IMAGE_BYTES", "1024"],
    ["MAX_IMAGE_BYTES", "24000000"],
    ["MAX_REDIRECTS", "0"],
    ["MAX_REDIRECTS", "10"],
    ["CACHE_MAX_AGE", "0"],
    ["CACHE_MAX_AGE", 0],
    ["PRESETS", '{"small": "size=56,format=webp"}'],
    ["PREGENERATE", ""],
    ["PREGENERATE", " _\n size=112,format=webp "],
    ["SOURCE_HOSTS", "*.example.com, https://images.example.org:8443/photos/"],
  ])("accepts %s=%s", (name, value) => {
    expect(() => parseConfig({ [name]: value })).not.toThrow();
  });

  it("repeats no secret in its messages", () => {
    const secret = "hunter2hunter2";
    expect(() => parseConfig({ SIGNING_KEYS: `{"web": "${secret}"}`, OWNER_KEY: secret })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });
});
