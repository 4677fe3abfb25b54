/**
 * Gathers images that become ready one by one into few requests: a request goes out when it is full, when nobody is left who
 * could add to it, or when its first image has waited long enough.
 */

export interface Gather<Item, Result> {
  /** One image; its result comes with those of the others in the same request. */
  add(item: Item): Promise<Result>;
  /** Says that one of those expected will not come, or has had its result. */
  leave(): void;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * @param run one request: a result for each item, in order.
 * @param expected how many will `add`, or `leave` without.
 */
export function createGather<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  { expected, size, waitMs }: { expected: number; size: number; waitMs: number },
): Gather<Item, Result> {
  let coming = expected;
  let waiting: Waiting<Item, Result>[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function flush(): Promise<void> {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      const results = await run(batch.map(({ item }) => item));
      for (const [i, { resolve, reject }] of batch.entries()) {
        const result = results[i];
        if (result === undefined) reject(new Error(`Expected ${batch.length} results, but got ${results.length}.`));
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (waiting.length >= Math.min(size, coming)) void flush();
        else timer ??= setTimeout(() => void flush(), waitMs);
      });
    },
    leave() {
      coming -= 1;
      if (waiting.length > 0 && waiting.length >= Math.min(size, coming)) void flush();
    },
  };
}
