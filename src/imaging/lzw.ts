const MAX_CODES = 4096;

/**
 * GIF's variable-length LZW (GIF89a, appendix F), read from `bytes` at `offset`: the code size, then sub-blocks.
 *
 * Written here and not taken from omggif because that one cannot tell a truncated stream from a whole one, and keeps
 * 5 bytes a pixel where this keeps what the caller asks for.
 */
export class LzwReader {
  readonly #bytes: Uint8Array;
  #offset: number;
  #blockLeft = 0;
  #bits = 0;
  #bitCount = 0;
  readonly #minSize: number;
  #size: number;
  #next: number;
  #previous = -1;
  readonly #prefix = new Uint16Array(MAX_CODES);
  readonly #suffix = new Uint8Array(MAX_CODES);
  /** Decoded bytes not yet handed out, in reverse. */
  readonly #stack = new Uint8Array(MAX_CODES + 1);
  #stacked = 0;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#minSize = bytes[offset] ?? 0;
    this.#offset = offset + 1;
    // More than the 8 bits of an index are of no use but written; a code has 12 at most.
    if (this.#minSize < 1 || this.#minSize > 11) throw new RangeError("the LZW code size is not between 1 and 11");
    this.#size = this.#minSize + 1;
    this.#next = (1 << this.#minSize) + 2;
    for (let code = 0; code < 1 << this.#minSize; code++) this.#suffix[code] = code;
  }

  /** Fills `out`, or says false if the stream ends before or makes no sense. */
  read(out: Uint8Array): boolean {
    let filled = 0;
    while (filled < out.length) {
      while (this.#stacked > 0 && filled < out.length) out[filled++] = this.#stack[--this.#stacked] as number;
      if (filled < out.length && !this.#decode()) return false;
    }
    return true;
  }

  /** Stacks the bytes of the next code. */
  #decode(): boolean {
    const clear = 1 << this.#minSize;
    const code = this.#readCode();
    if (code < 0 || code === clear + 1) return false;
    if (code === clear) {
      this.#size = this.#minSize + 1;
      this.#next = clear + 2;
      this.#previous = -1;
      return true;
    }
    if (this.#previous < 0 ? code >= clear : code > this.#next || (code === this.#next && this.#next === MAX_CODES))
      return false;
    // A code that is about to be defined: the previous string and its first byte again.
    let chain = code;
    if (code === this.#next) {
      chain = this.#previous;
      this.#stacked = 1;
    }
    while (chain > clear) {
      this.#stack[this.#stacked++] = this.#suffix[chain] as number;
      chain = this.#prefix[chain] as number;
    }
    this.#stack[this.#stacked++] = chain;
    if (code === this.#next) this.#stack[0] = chain;
    if (this.#previous >= 0 && this.#next < MAX_CODES) {
      this.#prefix[this.#next] = this.#previous;
      this.#suffix[this.#next] = chain;
      this.#next++;
      if (this.#next === 1 << this.#size && this.#size < 12) this.#size++;
    }
    this.#previous = code;
    return true;
  }

  /** The next code, or -1 at the end of the sub-blocks. */
  #readCode(): number {
    while (this.#bitCount < this.#size) {
      if (this.#blockLeft === 0) {
        this.#blockLeft = this.#bytes[this.#offset++] ?? 0;
        if (this.#blockLeft === 0) return -1;
      }
      if (this.#offset >= this.#bytes.length) return -1;
      this.#bits |= (this.#bytes[this.#offset++] as number) << this.#bitCount;
      this.#bitCount += 8;
      this.#blockLeft--;
    }
    const code = this.#bits & ((1 << this.#size) - 1);
    this.#bits >>>= this.#size;
    this.#bitCount -= this.#size;
    return code;
  }
}
