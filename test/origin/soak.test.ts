/** Ten thousand requests at once, each with numbers of its own: none may be lost, none may get another's answer. */
import { execFileSync } from "node:child_process";
import { Agent, request } from "node:http";
import { expect, test } from "vitest";
import { z } from "zod";
import { startOrigin, TEST_MODELS } from "./start-origin.ts";

const REQUESTS = 10_000;
/** All at once where the system lets a process open as many files; else the rest waits in the client. */
const SOCKETS = Math.min(REQUESTS, openFiles() - 200);

const answer = z.object({ id: z.string(), outputs: z.tuple([z.object({ data: z.array(z.number()) })]) });

test("10,000 concurrent requests with distinct tensors each get their own answer", async () => {
  const origin = await startOrigin("--models", TEST_MODELS);
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const ask = (n: number) =>
    new Promise<z.infer<typeof answer>>((resolve, reject) => {
      const outgoing = request({
        agent,
        host: "127.0.0.1",
        port: origin.port,
        path: "/v2/models/echo/infer",
        method: "POST",
      });
      outgoing.on("error", reject).on("response", async (incoming) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk);
        resolve(answer.parse(JSON.parse(Buffer.concat(chunks).toString())));
      });
      const inputs = [{ name: "number", shape: [1, 2], datatype: "INT64", data: [n, n ^ 0x5555] }];
      outgoing.end(JSON.stringify({ id: String(n), inputs }));
    });

  const answers = await Promise.all(Array.from({ length: REQUESTS }, (_, n) => ask(n)));
  const wrong = answers.filter(
    ({ id, outputs: [{ data }] }, n) => id !== String(n) || data[0] !== n || data[1] !== (n ^ 0x5555),
  );
  expect(answers).toHaveLength(REQUESTS);
  expect(wrong).toEqual([]);
  agent.destroy();
  expect(await origin.stop()).toBe(0);
}, 120_000);

/** Node raises its own limit to the hard one when it starts. */
function openFiles(): number {
  return Number(execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" })) || REQUESTS + 200;
}
