/** The part of Node's module that workerd has and the faulty Worker uses; Cloudflare's types leave it to those of Node. */
declare module "node:async_hooks" {
  export class AsyncLocalStorage<T> {
    getStore(): T | undefined;
    run<R>(store: T, use: () => R): R;
  }
}
