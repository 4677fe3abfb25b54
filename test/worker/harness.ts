/**
 * The built Worker in workerd, with miniflare's R2 and caches, and a small internet of our own.
 *
 * The Worker's outgoing requests arrive at `globalThis.fetch` of this process. `serveInternet` answers them from a table
 * of hosts, so that redirects, failures and slow bodies are real HTTP exchanges with nothing of the Worker replaced.
 */
import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import { createTestHarness, type TestHarness, type TestHarnessOptions, type WorkerHandle } from "wrangler";
import { startOrigin } from "../origin/start-origin.ts";
import { WORKER_DIR } from "./build.ts";

export interface TestWorker {
  /** Where it listens, for clients of other kinds. */
  readonly url: URL;
  /** `path` with its leading slash, or an absolute URL. Redirects are not followed. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  readonly env: { THUMBNAILS: R2Bucket; ORIGINALS: R2Bucket; CHANGES: Queue };
  readonly harness: TestHarness;
  close(): Promise<void>;
}

/**
 * Open to any public host and unsigned unless `vars` says otherwise.
 *
 * @param others configuration files of Workers that run beside it.
 */
export async function startWorker(
  vars: Record<string, string> = {},
  secrets: Record<string, string> = {},
  prebuiltWorkerDir = WORKER_DIR,
  others: readonly string[] = [],
): Promise<TestWorker> {
  const harness = createTestHarness({
    workers: [
      {
        configPath: "wrangler.toml",
        prebuiltWorkerDir,
        vars: { SOURCE_HOSTS: "*", ALLOW_UNSIGNED: "true", ...vars },
        secrets,
      },
      ...others.map((configPath) => ({ configPath })),
    ],
  });
  const { url } = await harness.listen();
  const worker: WorkerHandle<TestWorker["env"]> = harness.getWorker();
  return {
    url,
    fetch: async (path, init) => held((await harness.fetch(path, init as never)) as unknown as Response),
    env: await worker.getEnv(),
    harness,
    close: () => harness.close(),
  };
}

/**
 * The same response, its body read through a stream of our own.
 *
 * miniflare answers a `Response` that wraps the stream of another one and lets go of that. When the garbage collector
 * finds the other one, undici cancels its stream unless somebody reads it, and a test that reads late finds "Body has
 * already been read".
 */
function held(response: Response): Response {
  const { status, statusText, headers } = response;
  return new Response(response.body?.pipeThrough(new TransformStream()) ?? null, { status, statusText, headers });
}

/**
 * Workers of one workerd and a real inference server. The first of them is the one that is asked.
 *
 * @param workersOf is given the server's URL.
 */
export async function startWithOrigin(
  workersOf: (origin: string) => TestHarnessOptions["workers"],
): Promise<Pick<TestWorker, "harness" | "close">> {
  const origin = await startOrigin();
  const harness = createTestHarness({ workers: workersOf(origin.url) });
  const close = async () => {
    await harness.close();
    await origin.stop();
  };
  await harness.listen().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { harness, close };
}

export type Internet = Record<string, (request: Request) => Response | Promise<Response>>;

/** Answers requests to the hosts of `internet`; any other host does not resolve. Gives the function that undoes it. */
export function serveInternet(internet: Internet): () => void {
  const original = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, { method: init?.method ?? "GET", headers: init?.headers ?? {} });
    const host = internet[new URL(request.url).host];
    if (!host) throw new TypeError(`getaddrinfo ENOTFOUND ${new URL(request.url).host}`);
    return host(request);
  };
  return () => {
    globalThis.fetch = original;
  };
}
