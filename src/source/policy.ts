/**
 * Which URLs the service may fetch: a list of rules, refused unless one of them matches. Pure.
 *
 * A rule is written like a URL: `https://images.example.com`, `https://*.example.com:8443/photos/`, `example.com` (http and
 * https on their own ports), or `*` (any public host). No rules allow nothing.
 */
import { Problem } from "../errors.ts";
import { isWithin, judgeHost } from "./address.ts";

/** One allowed place. Port and scheme belong together, so a second host's port never opens this one's. */
export interface SourceRule {
  readonly schemes: readonly ("http:" | "https:")[];
  /** A canonical host name, `*.example.com` (every name below, not the name itself) or `*` (every public name). */
  readonly host: string;
  /** Text as `URL.port` has it: "" is the scheme's own port. */
  readonly port: string;
  /** Whole path segments, beginning and ending with "/". */
  readonly pathPrefix: string;
}

/** Where originals may come from over HTTP and how much of the service's time and memory they may take. */
export interface SourcePolicy {
  readonly rules: readonly SourceRule[];
  /** Hosts (with port, as in `URL.host`) that lead back to this service. */
  readonly selfHosts: readonly string[];
  /** Bound on the file, in bytes after content decoding. */
  readonly maxBytes: number;
  readonly maxRedirects: number;
  /** Milliseconds until the final response's headers, all redirects together. */
  readonly headerTimeoutMs: number;
  /** Milliseconds of waiting for bytes from those headers to the last one. */
  readonly bodyTimeoutMs: number;
}

/** The limits without the places. 3 redirects: http to https, apex to www, and one to a storage host. */
export const DEFAULT_LIMITS = {
  maxBytes: 20 * 1024 * 1024,
  maxRedirects: 3,
  headerTimeoutMs: 10_000,
  bodyTimeoutMs: 20_000,
} as const satisfies Partial<SourcePolicy>;

/** Parses one rule text. @throws Error that names the faulty rule (a fault of the configuration, not of a request). */
export function parseSourceRule(text: string): SourceRule {
  const [, given, hostText = "", portText, path = "/"] =
    /^(?:(https?):\/\/)?(\[[0-9a-f:.]+\]|[^/:?#@\s]+)(?::(\d{1,5}))?(\/[^?#\s]*)?$/i.exec(text.trim()) ?? [];
  const scheme = given?.toLowerCase() ?? { "80": "http", "443": "https" }[portText ?? ""];
  const wildcard = hostText === "*" ? "*" : hostText.startsWith("*.") ? "*." : "";
  const concrete = wildcard === "*" ? "any.example" : hostText.slice(wildcard.length);
  const url = URL.parse(`${scheme ?? "https"}://${concrete}${portText ? `:${portText}` : ""}${path}`);
  if (!url?.hostname || url.hostname.includes("*") || (wildcard && judgeHost(url.hostname).kind === "address")) {
    throw new Error(
      `Expected source rules like "https://images.example.com", "*.example.com:8443/photos/" or "*", but got "${text}".`,
    );
  }
  const hostname = withoutDot(url.hostname);
  return {
    schemes: scheme ? [url.protocol === "http:" ? "http:" : "https:"] : ["http:", "https:"],
    host: wildcard === "*" ? "*" : `${wildcard}${hostname}`,
    port: url.port,
    pathPrefix: url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`,
  };
}

/**
 * Checks one hop: the URL asked for, and again every redirect's target.
 *
 * A host that is not public, or is an address, is allowed only by a rule that spells it out; wildcards never match it.
 *
 * @returns whether a rule spells out the host, so that nothing more needs to be known about it.
 * @throws Problem `source-not-allowed` saying what rules it out.
 */
export function checkUrl(url: URL, policy: Pick<SourcePolicy, "rules" | "selfHosts">): { spelledOut: boolean } {
  if (url.protocol !== "http:" && url.protocol !== "https:") refuse(`the scheme ${url.protocol} is not http or https`);
  if (url.username || url.password) refuse("it carries a user name or password");
  const hostname = withoutDot(url.hostname);
  const host = url.port ? `${hostname}:${url.port}` : hostname;
  const judgement = judgeHost(url.hostname);
  if (policy.selfHosts.some((self) => isSelf(self.toLowerCase(), host, hostname, judgement.reason === undefined))) {
    refuse("it leads back to this service");
  }
  const named = policy.rules.filter((rule) => rule.host === hostname);
  if (named.length === 0 && judgement.kind === "address") refuse("its host is an IP address");
  if (named.length === 0 && judgement.reason !== undefined) refuse(`its host is ${judgement.reason}`);
  const onlyByName = judgement.kind === "address" || judgement.reason !== undefined;
  const matching = onlyByName ? named : policy.rules.filter((rule) => matchesHost(rule, hostname));
  const place = matching.filter((rule) => rule.schemes.some((s) => s === url.protocol) && rule.port === url.port);
  if (matching.length === 0) refuse("its host is not on the list of allowed hosts");
  if (place.length === 0) refuse("its scheme or port is not allowed for this host");
  if (!place.some((rule) => isBelow(url.pathname, rule.pathPrefix))) refuse("its path is not allowed for this host");
  return { spelledOut: place.some((rule) => rule.host === hostname) };
}

function refuse(reason: string): never {
  throw new Problem("source-not-allowed", `The source is not allowed: ${reason}.`);
}

function matchesHost({ host }: SourceRule, hostname: string): boolean {
  if (host === "*") return true;
  if (!host.startsWith("*.")) return host === hostname;
  return hostname !== host.slice(2) && isWithin(hostname, host.slice(2));
}

/** A public name is this service on every port; on loopback, where one name serves all, the port tells. */
function isSelf(self: string, host: string, hostname: string, isPublic: boolean): boolean {
  return self === host || (isPublic && self.replace(/:\d+$/, "") === hostname);
}

/** Path prefix by whole segments. Servers disagree on encoded dots and slashes, so no reading may lead out. */
function isBelow(path: string, prefix: string): boolean {
  if (prefix === "/") return true;
  // However often they are encoded, in one pass: a redirect may lead to a path of any length.
  const text = path.replace(/%(?:25)*(2e|2f|5c|3b)/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (text.split(/[/\\]/).some((segment) => /^\.{1,2}(;|$)/.test(segment))) return false;
  return path.startsWith(prefix) || `${path}/` === prefix;
}

const withoutDot = (hostname: string) => hostname.replace(/\.$/, "");
