import { describe, expect, test } from "vitest";
import { Problem } from "../../src/errors.ts";
import { addressReason } from "../../src/source/address.ts";
import { checkUrl, parseSourceRule } from "../../src/source/policy.ts";
import { REFUSED_HOSTS, REFUSED_URLS } from "./refused-hosts.ts";

/** "allowed", "refused" (with the service's own 403) or "no URL" (the URL parser refuses it before the policy can). */
function verdict(text: string, ...rules: string[]): string {
  const url = URL.parse(text);
  if (!url) return "no URL";
  try {
    checkUrl(url, { rules: rules.map(parseSourceRule), selfHosts: ["thumbs.example.net"] });
    return "allowed";
  } catch (error) {
    if (error instanceof Problem && error.code === "source-not-allowed") return "refused";
    throw error;
  }
}

describe("with every public host allowed", () => {
  test("the vectors are many and distinct", () => {
    expect(new Set([...REFUSED_HOSTS, ...REFUSED_URLS]).size).toBeGreaterThanOrEqual(250);
  });

  test.each(REFUSED_HOSTS)("the host %s is refused", (host) => {
    expect(verdict(`http://${host}/photo.jpg`, "*")).not.toBe("allowed");
    expect(verdict(`https://${host}/photo.jpg`, "*")).not.toBe("allowed");
  });

  test.each(REFUSED_URLS)("the URL %j is refused", (url) => {
    expect(verdict(url, "*")).not.toBe("allowed");
  });

  test.each([
    "https://photos.example.com/a.jpg",
    "http://photos.example.com/a.jpg",
    "https://photos.example.com./a.jpg",
    "https://PHOTOS.Example.COM/a.jpg?size=1#x",
    "https://bücher.example.org/ä.png",
    "https://a_b.example.com/x",
    "https://xn--bcher-kva.example.org/",
    "https://localhost.example.com/",
    "https://notlocalhost.com/",
    "https://mynip.io/",
    "https://photo-1-1-1-1.example.com/",
    "https://1.2.3.4.5.example.com/",
    "https://m.media-amazon.com/images/I/1.jpg",
    // The backslash ends the host: it is photos.example.com that is asked, for /@127.0.0.1/.
    "https://photos.example.com\\@127.0.0.1/",
  ])("%s is allowed", (url) => {
    expect(verdict(url, "*")).toBe("allowed");
  });
});

describe("rules", () => {
  test.each([
    ["no rules allow nothing", [], "https://photos.example.com/a", "refused"],
    ["an exact host", ["https://photos.example.com"], "https://photos.example.com/a", "allowed"],
    ["an exact host, not one that ends like it", ["example.com"], "https://evil-example.com/a", "refused"],
    ["an exact host, not one that begins like it", ["example.com"], "https://example.com.evil.org/a", "refused"],
    ["an exact host, not one below it", ["example.com"], "https://a.example.com/a", "refused"],
    ["a wildcard, a name below", ["*.example.com"], "https://a.example.com/a", "allowed"],
    ["a wildcard, two names below", ["*.example.com"], "https://b.a.example.com/a", "allowed"],
    ["a wildcard, not the name itself", ["*.example.com"], "https://example.com/a", "refused"],
    ["a wildcard, not one that ends like it", ["*.example.com"], "https://evilexample.com/a", "refused"],
    ["a wildcard never reaches a private name", ["*.internal"], "https://metadata.google.internal/a", "refused"],
    ["a private name only when spelled out", ["http://photos.internal"], "http://photos.internal/a", "allowed"],
    ["an address only when spelled out", ["http://127.0.0.1:9000"], "http://127.0.0.1:9000/a", "allowed"],
    ["an address in another notation", ["http://127.0.0.1:9000"], "http://2130706433:9000/a", "allowed"],
    ["an address, not its neighbour", ["http://127.0.0.1:9000"], "http://127.0.0.2:9000/a", "refused"],
    ["an address, not another port", ["http://127.0.0.1:9000"], "http://127.0.0.1:9001/a", "refused"],
    ["an address, not another port by a wildcard", ["*", "http://127.0.0.1:9000"], "http://127.0.0.1/a", "refused"],
    [
      "a private name, not more by a wildcard",
      ["*.b.internal", "http://a.b.internal:8080/p/"],
      "http://a.b.internal/",
      "refused",
    ],
    ["an IPv6 address when spelled out", ["http://[::1]:9000"], "http://[0:0::1]:9000/a", "allowed"],
    ["no scheme in the rule: http", ["example.com"], "http://example.com/a", "allowed"],
    ["no scheme in the rule: https", ["example.com"], "https://example.com/a", "allowed"],
    ["https in the rule: no http", ["https://example.com"], "http://example.com/a", "refused"],
    ["http in the rule: no https", ["http://example.com"], "https://example.com/a", "refused"],
    ["a port in the rule", ["https://example.com:8443"], "https://example.com:8443/a", "allowed"],
    ["a port in the rule: not the usual one", ["https://example.com:8443"], "https://example.com/a", "refused"],
    ["no port in the rule: no other", ["https://example.com"], "https://example.com:8443/a", "refused"],
    ["port 443 without a scheme means https", ["example.com:443"], "http://example.com/a", "refused"],
    ["one host's port does not open another's", ["a.com:8443", "b.com"], "https://b.com:8443/a", "refused"],
    ["a path prefix", ["https://example.com/photos"], "https://example.com/photos/a", "allowed"],
    ["a path prefix and its own name", ["https://example.com/photos/"], "https://example.com/photos", "allowed"],
    [
      "a path prefix, by whole segments",
      ["https://example.com/photos"],
      "https://example.com/photos-private/a",
      "refused",
    ],
    [
      "a path prefix, dot segments folded",
      ["https://example.com/photos"],
      "https://example.com/photos/../secret",
      "refused",
    ],
    ["encoded dots", ["https://example.com/photos"], "https://example.com/photos/%2e%2e/secret", "refused"],
    [
      "an encoded slash after dots",
      ["https://example.com/photos"],
      "https://example.com/photos/..%2fsecret",
      "refused",
    ],
    ["an encoded backslash", ["https://example.com/photos"], "https://example.com/photos/..%5csecret", "refused"],
    ["double encoding", ["https://example.com/photos"], "https://example.com/photos/%252e%252e%252fsecret", "refused"],
    [
      "deep encoding",
      ["https://example.com/photos"],
      `https://example.com/photos/%${"25".repeat(30_000)}2e%2E/`,
      "refused",
    ],
    [
      "deep encoding of nothing",
      ["https://example.com/photos"],
      `https://example.com/photos/%${"25".repeat(30_000)}`,
      "allowed",
    ],
    ["path parameters on dots", ["https://example.com/photos"], "https://example.com/photos/..;/secret", "refused"],
    ["dots inside a name are only dots", ["https://example.com/photos"], "https://example.com/photos/a..b", "allowed"],
    ["the second of two prefixes", ["https://e.com/a", "https://e.com/b"], "https://e.com/b/x", "allowed"],
    ["an upper-case rule", ["HTTPS://EXAMPLE.COM"], "https://example.com/a", "allowed"],
    [
      "an international name in the rule",
      ["https://bücher.example.org"],
      "https://xn--bcher-kva.example.org/",
      "allowed",
    ],
    ["a rule for this service itself", ["https://thumbs.example.net"], "https://thumbs.example.net/a", "refused"],
    [
      "this service on another port",
      ["https://thumbs.example.net:8443"],
      "https://thumbs.example.net:8443/a",
      "refused",
    ],
  ])("%s", (_, rules, url, expected) => {
    expect(verdict(url, ...rules)).toBe(expected);
  });

  test.each([
    ["a faulty rule", "https://"],
    ["a rule with a query", "https://example.com/?a"],
    ["a rule with a user", "https://me@example.com"],
    ["another scheme", "ftp://example.com"],
    ["a wildcard inside", "https://a.*.com"],
    ["a wildcard of an address", "*.0.0.1"],
    ["an empty rule", ""],
    ["a port out of range", "example.com:70000"],
  ])("%s is reported with its text", (_, rule) => {
    expect(() => parseSourceRule(rule)).toThrow(`but got "${rule}"`);
  });
});

test("on loopback, this service is told from its neighbours by the port", () => {
  const policy = { rules: [parseSourceRule("http://127.0.0.1:9000")], selfHosts: ["127.0.0.1:8787"] };
  expect(() => checkUrl(new URL("http://127.0.0.1:9000/a"), policy)).not.toThrow();
  expect(() => checkUrl(new URL("http://127.0.0.1:9000/a"), { ...policy, selfHosts: ["127.0.0.1:9000"] })).toThrow(
    Problem,
  );
});

/** The last address before, the first, the last and the first after: each special range's edges. */
test.each([
  ["9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"],
  ["100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"],
  ["126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"],
  ["169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"],
  ["172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"],
  ["192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"],
  ["198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"],
  ["2000:ffff::1", "2001::", "2001:1ff:ffff:ffff::", "2001:200::"],
  ["2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::"],
  ["2001:ffff::", "2002::", "2002:ffff::", "2003::"],
])("%s is public, %s to %s are not, %s is", (before, first, last, after) => {
  expect(addressReason(before)).toBeUndefined();
  expect(addressReason(first)).toBeTypeOf("string");
  expect(addressReason(last)).toBeTypeOf("string");
  expect(addressReason(after)).toBeUndefined();
});

test.each(["", "example.com", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::1::", "fe80::1%eth0"])(
  "the DNS answer %j is not a public address",
  (text) => {
    expect(addressReason(text)).toBeTypeOf("string");
  },
);
