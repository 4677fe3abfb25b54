/** Starts somebody else's server and waits until it says it is ready. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { exchange } from "../origin/http.ts";

export interface ServerProcess {
  readonly port: number;
  /** Whether the process has ended. */
  readonly ended: () => boolean;
  stop(): Promise<void>;
}

const START_MS = 60_000;

/** @throws Error with what it printed, if it does not become ready. */
export async function startServer(
  command: string,
  args: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const child = spawn(command, args, { stdio, env: { ...process.env, ...env }, detached: true });
  const exited = once(child, "exit");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output = (output + chunk).slice(-20_000);
    });
  }
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const stop = async () => {
    if (!ended()) child.kill("SIGTERM");
    await exited;
    // A server that crashed leaves its helpers behind; they are in its process group.
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const deadline = Date.now() + START_MS;
  while (!(await isReady(port))) {
    if (ended() || Date.now() > deadline) {
      await stop();
      throw new Error(`${command} did not become ready:\n${output}`);
    }
    await pause(200);
  }
  return { port, ended, stop };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await exchange(port, { path: "/v2/health/ready" })).status === 200;
  } catch {
    return false;
  }
}

/** Ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("Expected a TCP address.");
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
