/** Puts the parts together: models, instances, scheduler, HTTP server, and their orderly end. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { listSupportedBackends } from "onnxruntime-node";
import { createOriginApp } from "./app.ts";
import { startInstance } from "./instance.ts";
import { type Model, readRepository } from "./repository.ts";
import { createScheduler, type Lane } from "./scheduler.ts";
import type { ServedModel } from "./served-model.ts";
import type { Settings } from "./settings.ts";
import { emptyStatistics, recordBatch } from "./statistics.ts";

export interface Origin {
  readonly url: string;
  readonly models: readonly string[];
  /** Takes no new connections, finishes what is under way, then frees everything. */
  close(): Promise<void>;
}

/** Connections a burst may have waiting to be accepted; the kernel's own limit (somaxconn) may be lower. */
const BACKLOG = 4096;
/** Longer than clients keep idle connections, so that it is they who close. */
const KEEP_ALIVE_MS = 65_000;

/** @throws Error if the models do not load, the provider is not in this onnxruntime, or the port is taken. */
export async function startOrigin(settings: Settings): Promise<Origin> {
  const backends: string[] = listSupportedBackends().map(({ name }) => name);
  if (!backends.includes(settings.provider)) {
    throw new Error(
      `Expected --provider ${backends.join(", ")} with this onnxruntime-node, but got ${settings.provider}.`,
    );
  }
  const models = readRepository(settings.models);
  const setup = {
    models: models.map(({ config: { name, inputs, outputs, steps }, file }) => ({
      name,
      file,
      inputs,
      outputs,
      steps,
    })),
    provider: settings.provider,
    threads: settings.threads,
  };
  const instances = await Promise.all(Array.from({ length: settings.instances }, () => startInstance(setup)));

  const statistics = new Map(models.map(({ config: { name }, version }) => [name, emptyStatistics(name, version)]));
  const scheduler = createScheduler(
    models.map((model) => laneOf(model, settings)),
    instances,
    settings.maxQueue,
    (batch) => {
      const counters = statistics.get(batch.model);
      if (counters) recordBatch(counters, batch, Date.now());
    },
  );
  const served = models.map(
    ({ config, version, labels }): ServedModel => ({
      name: config.name,
      version,
      config,
      labels,
      statistics: statistics.get(config.name) ?? emptyStatistics(config.name, version),
      scheduler,
    }),
  );

  let ending = false;
  const app = createOriginApp(served, settings, () => !ending);
  const server = await listen(app.fetch, settings);
  server.on("request", (_, response) => {
    if (ending) response.setHeader("Connection", "close");
  });
  return {
    url: urlOf(server),
    models: served.map(({ name }) => name),
    async close() {
      ending = true;
      await new Promise((resolve) => server.close(resolve));
      await Promise.all(instances.map((instance) => instance.close()));
    },
  };
}

/**
 * On the CPU an image costs 2.0 ms alone, 1.2 in a batch of 8, 1.12 in one of 16 and 1.11 in one of 64 (student-56, one thread):
 * larger batches only make everyone wait for more of the others, and so does waiting for a batch to fill.
 */
const CPU_GATHER = 16;

function laneOf({ config }: Model, { provider, maxQueueDelayUs, gather }: Settings): Lane {
  const delayUs = maxQueueDelayUs ?? (provider === "cpu" ? 0 : config.maxQueueDelayUs);
  const most = gather ?? (provider === "cpu" ? CPU_GATHER : config.maxBatchSize);
  const maxBatchSize = Math.min(most, config.maxBatchSize);
  const preferredBatchSize = Math.min(config.preferredBatchSize, maxBatchSize);
  return { model: config.name, maxBatchSize, preferredBatchSize, delayMs: delayUs / 1000 };
}

async function listen(fetch: ReturnType<typeof createOriginApp>["fetch"], settings: Settings): Promise<Server> {
  const serverOptions = {
    requestTimeout: settings.requestTimeoutMs,
    headersTimeout: settings.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, settings.requestTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  const server = createAdaptorServer({ fetch, createServer, serverOptions });
  if (!("requestTimeout" in server)) throw new Error("Expected an HTTP/1 server.");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: settings.host, port: settings.port, backlog: BACKLOG }, resolve);
  });
  return server;
}

function urlOf(server: Server): string {
  const { address, family, port }: AddressInfo = addressOf(server);
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address.");
  return address;
}
