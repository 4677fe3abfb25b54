/**
 * The Worker as it ships, over an R2 and a Cache API that fail on order.
 *
 * The header `x-faults` names them, e.g. `r2.get=throw, edge.put=hang`; `x-fault-rate: 0.05` draws one at random for that
 * share of all operations. Real operations run underneath. `x-meanwhile: deleted a.jpg` or `replaced a.jpg` changes an original
 * just before its thumbnail is written.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createApp } from "../../../src/app.ts";
import { loadInWorkerd } from "../../../src/downscaler/ort-workerd.ts";
import { createConsumer } from "../../../src/queue/consume.ts";
import { classifyModels } from "../../../src/runtime/students.ts";
import { bundledDownscalers, loadCodec } from "../../../src/runtime/workerd.ts";

const KINDS = ["throw", "hang", "corrupt", "truncate", "lose"] as const;
type Kind = (typeof KINDS)[number];
type Operation = "r2.get" | "r2.put" | "edge.match" | "edge.put";

const faults = new AsyncLocalStorage<(operation: Operation) => Kind | undefined>();

/** Runs an operation with the fault that is due, if one is. `damage` is how bytes are changed on the way. */
async function faulty<T>(operation: Operation, run: () => Promise<T>, damage: (value: T, kind: Kind) => T): Promise<T> {
  const kind = faults.getStore()?.(operation);
  if (kind === "throw") throw new Error(`${operation} failed: internal detail`);
  if (kind === "hang") return new Promise<T>(() => {});
  const value = await run();
  return kind ? damage(value, kind) : value;
}

function damageBytes(bytes: ArrayBuffer, kind: Kind): ArrayBuffer {
  if (kind === "truncate") return bytes.slice(0, bytes.byteLength >> 1);
  const damaged = new Uint8Array(bytes.slice(0));
  damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1;
  return damaged.buffer;
}

function faultyBucket(bucket: R2Bucket): R2Bucket {
  const get = (key: string, options?: R2GetOptions) =>
    faulty<R2Object | R2ObjectBody | null>(
      "r2.get",
      () => bucket.get(key, options ?? {}),
      (object, kind) => {
        if (!object || kind === "lose") return null;
        if (!("body" in object)) return object;
        const { httpEtag, httpMetadata, customMetadata, uploaded, size } = object;
        const arrayBuffer = async () => damageBytes(await object.arrayBuffer(), kind);
        return {
          httpEtag,
          httpMetadata,
          customMetadata,
          uploaded,
          size,
          body: object.body,
          arrayBuffer,
        } as unknown as R2ObjectBody;
      },
    );
  const put = (key: string, bytes: Uint8Array, options: R2PutOptions) =>
    faulty(
      "r2.put",
      () => bucket.put(key, bytes, options),
      (object) => object,
    );
  return { get, put, list: bucket.list.bind(bucket), delete: bucket.delete.bind(bucket) } as unknown as R2Bucket;
}

/** Before each write something else happens. */
function overtaken(thumbnails: R2Bucket, meanwhile: () => Promise<unknown>): R2Bucket {
  const put: typeof thumbnails.put = async (...written: Parameters<typeof thumbnails.put>) => {
    await meanwhile();
    return thumbnails.put(...written);
  };
  return { ...thumbnails, put };
}

async function replace(originals: R2Bucket, key: string, by: string): Promise<void> {
  const newer = await originals.get(by);
  await originals.put(key, (await newer?.arrayBuffer()) ?? "");
}

/** Replaces an original by `newer.jpg`, or deletes it, and lets the consumer know. */
async function change(how: string, key: string, env: Env): Promise<void> {
  await (how === "replaced" ? replace(env.ORIGINALS, key, "newer.jpg") : env.ORIGINALS.delete(key));
  const body = { action: "PutObject", object: { key } };
  const message = { id: "meanwhile", attempts: 1, body, ack() {}, retry() {} } as unknown as Message;
  await consume({ messages: [message] } as unknown as MessageBatch, env);
}

const realEdge = caches.default;
const faultyEdge = {
  match: (url: string) =>
    faulty(
      "edge.match",
      () => realEdge.match(url),
      (response, kind) => {
        if (!response || kind === "lose") return undefined;
        const bytes = response.arrayBuffer().then((body) => damageBytes(body, kind));
        const stream = new ReadableStream({
          start: async (controller) => {
            controller.enqueue(new Uint8Array(await bytes));
            controller.close();
          },
        });
        return new Response(stream, response);
      },
    ),
  put: (url: string, response: Response) =>
    faulty(
      "edge.put",
      () => realEdge.put(url, response),
      (value) => value,
    ),
  delete: (url: string) => realEdge.delete(url),
};
Object.defineProperty(globalThis, "caches", { value: { default: faultyEdge } });

const runtime = { downscalers: bundledDownscalers(loadInWorkerd), loadCodec };
const consume = createConsumer(runtime);
const app = createApp({ ...runtime, ...classifyModels });

export default {
  fetch(request, env, ctx) {
    const rate = Number(request.headers.get("x-fault-rate") ?? 0);
    const ordered = new Map(
      (request.headers.get("x-faults") ?? "").split(",").map((fault) => fault.trim().split("=") as [Operation, Kind]),
    );
    const due = (operation: Operation) =>
      ordered.get(operation) ?? (Math.random() < rate ? KINDS[Math.floor(Math.random() * KINDS.length)] : undefined);
    const [how = "", key] = (request.headers.get("x-meanwhile") ?? "").split(" ");
    const bucket = faultyBucket(env.THUMBNAILS);
    const thumbnails = key === undefined ? bucket : overtaken(bucket, () => change(how, key, env));
    return faults.run(due, () => app.fetch(request, { ...env, THUMBNAILS: thumbnails }, ctx));
  },
  /**
   * The first delivery of a key with "fails-once" in it finds an R2 that does not write; one with "overtaken" in it, an original
   * that `photos/overtaking.jpg` replaces before the thumbnail is written.
   */
  queue(batch, env) {
    const isFirst = (name: RegExp) =>
      batch.messages.some(({ attempts, body }) => attempts === 1 && name.test(JSON.stringify(body)));
    const isDue = isFirst(/fails-once/);
    const due = (operation: Operation) => (isDue && operation === "r2.put" ? "throw" : undefined);
    const bucket = faultyBucket(env.THUMBNAILS);
    const replaced = () => replace(env.ORIGINALS, "photos/overtaken.jpg", "photos/overtaking.jpg");
    const thumbnails = isFirst(/overtaken/) ? overtaken(bucket, replaced) : bucket;
    return faults.run(due, () => consume(batch, { ...env, THUMBNAILS: thumbnails }));
  },
} satisfies ExportedHandler<Env>;
