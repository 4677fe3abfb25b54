/** `wrangler dev` as a child process, with its inspector, for benchmarks. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";

export interface Workerd {
  readonly url: string;
  /** Process id of the workerd that runs the Worker. */
  readonly pid: number;
  /** JavaScript heap and buffers of the Worker's isolate, garbage included; WebAssembly memories are not in it. */
  isolateBytes(): Promise<number>;
  /** Collects the isolate's garbage, so that what is left is held by something. */
  collectGarbage(): Promise<void>;
  stop(): Promise<void>;
}

/** wrangler's inspector asks every client for an origin it trusts. Node's WebSocket takes headers; the DOM's types do not know. */
const TRUSTED = { headers: { origin: "http://localhost" } } as unknown as string[];

const START_SECONDS = 60;

/** @param entry of the Worker, if it is not the one of `wrangler.toml`. */
export async function startWorkerd(vars: Record<string, string> = {}, entry?: string): Promise<Workerd> {
  const [port, inspectorPort] = [await freePort(), await freePort()];
  const options = Object.entries({ SOURCE_HOSTS: "*", ALLOW_UNSIGNED: "true", ...vars }).flatMap(([name, value]) => [
    "--var",
    `${name}:${value}`,
  ]);
  const arguments_ = ["dev", ...(entry ? [entry] : []), "--port", `${port}`, "--inspector-port", `${inspectorPort}`];
  const wrangler = spawn("wrangler", [...arguments_, ...options], {
    stdio: "ignore",
    env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false" },
  });
  const deadline = Date.now() + START_SECONDS * 1000;
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    ))
  ) {
    if (wrangler.exitCode !== null || Date.now() > deadline) {
      wrangler.kill();
      throw new Error("wrangler dev did not start: run it by hand to see why.");
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    pid: await workerdOf(wrangler),
    isolateBytes: () => heapUsage(inspectorPort),
    async collectGarbage() {
      let done = false;
      const collection = inspect(inspectorPort, "HeapProfiler.collectGarbage").finally(() => {
        done = true;
      });
      // V8 posts the collection as a task, and workerd runs tasks while it serves requests only.
      while (!done) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        await fetch(`${url}/health`);
      }
      await collection;
    },
    async stop() {
      const ended = once(wrangler, "exit");
      wrangler.kill("SIGTERM");
      await ended;
    },
  };
}

async function heapUsage(inspectorPort: number): Promise<number> {
  const { usedSize, backingStorageSize } = (await inspect(inspectorPort, "Runtime.getHeapUsage")) as {
    usedSize: number;
    backingStorageSize: number;
  };
  return usedSize + backingStorageSize;
}

/** One command of the DevTools protocol, and its result. */
async function inspect(inspectorPort: number, method: string): Promise<unknown> {
  const targets = (await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? "", TRUSTED);
  await once(socket, "open");
  socket.send(JSON.stringify({ id: 1, method }));
  for (;;) {
    const [event] = (await once(socket, "message")) as [MessageEvent<string>];
    const message = JSON.parse(event.data) as { id?: number; result?: unknown; error?: { message: string } };
    if (message.id !== 1) continue;
    socket.close();
    if (message.error) throw new Error(`${method}: ${message.error.message}`);
    return message.result;
  }
}

/** wrangler runs a proxy and the Worker in two workerds; the Worker's is the one with the larger memory. */
async function workerdOf(wrangler: ChildProcess): Promise<number> {
  const found: { pid: number; rss: number }[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (!/^Name:\s+workerd/m.test(status) || !(await descendsFrom(Number(pid), wrangler.pid ?? 0))) continue;
    found.push({ pid: Number(pid), rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) });
  }
  const largest = found.sort((a, b) => b.rss - a.rss)[0];
  if (!largest) throw new Error("There is no workerd below wrangler.");
  return largest.pid;
}

async function descendsFrom(pid: number, ancestor: number): Promise<boolean> {
  for (let at = pid; at > 1; ) {
    if (at === ancestor) return true;
    const status = await readFile(`/proc/${at}/status`, "utf8").catch(() => "");
    at = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return false;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}
