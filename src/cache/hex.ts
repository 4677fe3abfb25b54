/** Lower-case hex. `Uint8Array.prototype.toHex` does the same where it exists, which Node 24 is not. */
export function toHex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
