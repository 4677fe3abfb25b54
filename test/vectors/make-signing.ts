/**
 * Makes signing.json, with which a client in any language can check itself: `node test/vectors/make-signing.ts`.
 *
 * Signs with Node's own HMAC, independently of the service and of its client.
 */
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";

export interface SigningVector {
  readonly name: string;
  readonly keyId: string;
  readonly secret: string;
  /** The signed text: the target with its expiry, without signature. */
  readonly path: string;
  /** The target to send. */
  readonly signed: string;
}

const KEYS = {
  "web-1": "correct horse battery staple, and 32 bytes",
  "2026_Q4": "f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  umlaut: "Schlüssel mit Umlauten: äöüß, €, 日本語",
} as const;

const PATHS: readonly (readonly [name: string, key: keyof typeof KEYS, path: string])[] = [
  ["no options", "web-1", "/thumbnail/_/https://images.example.com/photo.jpg"],
  ["an option", "web-1", "/thumbnail/size=56/https://images.example.com/photo.jpg"],
  ["an expiry", "web-1", "/thumbnail/size=56,exp=4102444800/https://images.example.com/photo.jpg"],
  ["an expiry alone", "web-1", "/thumbnail/_,exp=4102444800/https://images.example.com/photo.jpg"],
  ["another key", "2026_Q4", "/thumbnail/size=56/https://images.example.com/photo.jpg"],
  ["a secret of non-ASCII characters, used as UTF-8", "umlaut", "/thumbnail/size=112,format=webp/r2:photos/cat.jpg"],
  ["a source with a query", "web-1", "/thumbnail/size=56/https://images.example.com/photo.jpg?v=2&x=a%2Fb,c=d"],
  ["a percent-encoded source", "web-1", "/thumbnail/size=56/https://images.example.com/%C3%A4%20b%23c.jpg"],
  ["a source in base64url", "web-1", "/thumbnail/size=56/b64:aHR0cHM6Ly9pbWFnZXMuZXhhbXBsZS5jb20vcGhvdG8uanBn"],
  ["a source that mentions a signature", "web-1", "/thumbnail/_/https://images.example.com/a,sig=web-1.AAAA/b.jpg"],
  ["an upload", "2026_Q4", "/thumbnail/size=112,format=webp,exp=4102444800"],
  ["a classification", "2026_Q4", "/classify/_,exp=4102444800/https://images.example.com/photo.jpg"],
];

export function signingVectors(): SigningVector[] {
  return PATHS.map(([name, keyId, path]) => {
    const signature = createHmac("sha256", KEYS[keyId]).update(path).digest("base64url");
    const [, , options = ""] = path.split(/[/?]/);
    const end = path.indexOf(options) + options.length;
    return {
      name,
      keyId,
      secret: KEYS[keyId],
      path,
      signed: `${path.slice(0, end)},sig=${keyId}.${signature}${path.slice(end)}`,
    };
  });
}

export const VECTORS_FILE = new URL("signing.json", import.meta.url);

if (import.meta.main) writeFileSync(VECTORS_FILE, `${JSON.stringify(signingVectors(), null, 2)}\n`);
