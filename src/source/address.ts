/**
 * Which hosts lie on the public internet, judged by what they are called alone (no look-up, no I/O).
 *
 * The input is a WHATWG host: `URL` has already folded decimal, octal, hex, short and full-width IPv4 into dotted quads,
 * compressed IPv6, mapped international names to ASCII and lowered the case. Ranges: the IANA special-purpose address
 * registries (RFC 6890 and its updates, as of 2026); names: the IANA special-use domain names (RFC 6761 and updates).
 */

type Cidr = readonly [prefix: string, bits: number, what: string];

const IPV4_SPECIAL: readonly Cidr[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private use"],
  ["100.64.0.0", 10, "carrier-grade NAT"],
  ["127.0.0.0", 8, "loopback"],
  ["168.63.129.16", 32, "Azure's virtual host address"],
  ["169.254.0.0", 16, "link-local and cloud metadata"],
  ["172.16.0.0", 12, "private use"],
  ["192.0.0.0", 24, "IETF protocol assignments"],
  ["192.0.2.0", 24, "documentation"],
  ["192.31.196.0", 24, "AS112"],
  ["192.52.193.0", 24, "AMT"],
  ["192.88.99.0", 24, "6to4 relay"],
  ["192.168.0.0", 16, "private use"],
  ["192.175.48.0", 24, "AS112"],
  ["198.18.0.0", 15, "benchmarking"],
  ["198.51.100.0", 24, "documentation"],
  ["203.0.113.0", 24, "documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved and broadcast"],
];

/** Only 2000::/3 is global unicast; these parts of it are not, or wrap an IPv4 address that this table cannot judge. */
const IPV6_SPECIAL: readonly Cidr[] = [
  ["2001::", 23, "IETF protocol assignments (Teredo, ORCHID, benchmarking)"],
  ["2001:db8::", 32, "documentation"],
  ["2002::", 16, "6to4"],
  ["2620:4f:8000::", 48, "AS112"],
  ["3ffe::", 16, "the former 6bone"],
  ["3fff::", 20, "documentation"],
];
const IPV6_GLOBAL: Cidr = ["2000::", 3, "global unicast"];

/** Last labels that name no public host: special-use names, and what home routers and clusters use in their place. */
const PRIVATE_SUFFIXES: readonly string[] = [
  ...["localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "svc", "consul"],
  ...["arpa", "onion", "i2p", "bit", "test", "example", "invalid", "alt", "ts.net"],
];

/**
 * Public names that resolve to whatever private address the asker writes, or always to loopback. A list of the known ones
 * cannot be complete: anyone can publish such a record (see `dns.ts` for what can be done about it).
 */
const REBINDING_SUFFIXES: readonly string[] = [
  ...["nip.io", "sslip.io", "xip.io", "ip6.name", "backname.io", "traefik.me", "local.gd", "1u.ms", "rbndr.us"],
  ...["localtest.me", "lvh.me", "vcap.me", "lacolhost.com", "localho.st", "localh.st", "yoogle.com", "fbi.com"],
  ...[
    "rebind.network",
    "rebind.it",
    "nip.direct",
    "nipio.de",
    "getip.dev",
    "localdev.me",
    "local-ip.co",
    "local-ip.sh",
  ],
  ...["spoofed.burpcollaborator.net", "bugbounty.dod.network", "metadata.tencentyun.com", "plex.direct", "ksoc.me"],
];

/** What a host is, as far as its text tells. `reason` says why it is not public. */
export type HostJudgement =
  | { readonly kind: "name"; readonly reason?: string }
  | { readonly kind: "address"; readonly reason?: string };

/**
 * Judges a WHATWG host name (`URL.hostname`, IPv6 in brackets).
 *
 * @returns whether it is a name or an address literal, and the reason if it is not public.
 */
export function judgeHost(hostname: string): HostJudgement {
  if (hostname.startsWith("[")) return { kind: "address", ...explain(ipv6Reason(hostname.slice(1, -1))) };
  const ipv4 = parseIpv4(hostname.replace(/\.$/, ""));
  if (ipv4 !== undefined) return { kind: "address", ...explain(ipv4Reason(ipv4)) };
  return { kind: "name", ...explain(nameReason(hostname.toLowerCase())) };
}

/** Judges an address in text form as DNS answers carry it (IPv6 without brackets); anything else is not public. */
export function addressReason(address: string): string | undefined {
  const ipv4 = parseIpv4(address);
  if (ipv4 !== undefined) return ipv4Reason(ipv4);
  const hostname = URL.parse(`http://[${address}]/`)?.hostname;
  return hostname ? ipv6Reason(hostname.slice(1, -1)) : "not an address";
}

const explain = (reason: string | undefined) => (reason === undefined ? {} : { reason });

function nameReason(hostname: string): string | undefined {
  const name = hostname.replace(/\.$/, "");
  const labels = name.split(".");
  if (name.length > 253 || !labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) {
    return "not a host name of the domain name system";
  }
  if (labels.length < 2) return "a name without a domain";
  if (!/^([a-z]{2,}|xn--[a-z0-9-]+)$/.test(labels.at(-1) ?? "")) return "no top-level domain";
  if (PRIVATE_SUFFIXES.some((suffix) => isWithin(name, suffix))) return "a name for private networks";
  if (REBINDING_SUFFIXES.some((suffix) => isWithin(name, suffix))) return "a name that resolves to private addresses";
  if (/^(metadata|instance-data|rancher-metadata)$/.test(labels[0] ?? "")) return "a metadata service's name";
  // Labels like 10.0.0.1.example.com or ip-10-0-0-1.example.com are how private addresses get public names.
  for (const [, address = ""] of name.matchAll(/(?<=^|[^0-9])(?=(\d{1,3}(?:[.-]\d{1,3}){3})(?![0-9]))/g)) {
    const ipv4 = parseIpv4(address.replaceAll("-", "."));
    if (ipv4 !== undefined && ipv4Reason(ipv4) !== undefined) return "a name that spells a private address";
  }
  return undefined;
}

/** Whether `name` is `suffix` or a name below it: compared by whole labels. */
export function isWithin(name: string, suffix: string): boolean {
  return name === suffix || name.endsWith(`.${suffix}`);
}

/** Dotted quad to an unsigned 32-bit integer; every other text is undefined. */
function parseIpv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!parts?.every((part) => part <= 255)) return undefined;
  return parts.reduce((value, part) => value * 256 + part, 0);
}

function ipv4Reason(address: number): string | undefined {
  return IPV4_SPECIAL.find(([prefix, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor((parseIpv4(prefix) ?? Number.NaN) / size);
  })?.[2];
}

function ipv6Reason(text: string): string | undefined {
  const address = parseIpv6(text);
  if (address === undefined) return "not an address";
  if (!inIpv6(address, IPV6_GLOBAL)) return "not global unicast";
  return IPV6_SPECIAL.find((range) => inIpv6(address, range))?.[2];
}

function inIpv6(address: bigint, [prefix, bits]: Cidr): boolean {
  return address >> BigInt(128 - bits) === (parseIpv6(prefix) ?? -1n) >> BigInt(128 - bits);
}

/** Canonical IPv6 text (as `URL` writes it: hex groups, at most one `::`) to a 128-bit integer. */
function parseIpv6(text: string): bigint | undefined {
  const [head = "", tail] = text.split("::");
  const before = head ? head.split(":") : [];
  const after = tail ? tail.split(":") : [];
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  if (missing < 0) return undefined;
  const groups = [...before, ...Array<string>(missing).fill("0"), ...after];
  if (groups.length !== 8 || !groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
