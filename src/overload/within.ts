/**
 * Waits for `work` at most `ms` milliseconds.
 *
 * @throws what `late` gives, if it takes longer. The work itself goes on: who can stop it must do so.
 */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
