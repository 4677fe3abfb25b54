/** Origins that misbehave on purpose, over real sockets: what the client must take from the servers of others. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface FaultyOrigin {
  readonly url: string;
  /** Paths in the order they were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void | Promise<void>;

/** A server that answers metadata rightly, and inference as `answer` does. */
export function metadataAnd(answer: Answer, extensions = ["binary_tensor_data"], change: object = {}): Answer {
  return (request, response, body) => {
    if (request.url === "/v2") return sendJson(response, 200, { name: "faulty", version: "1", extensions });
    if (request.url === "/v2/models/tiny") return sendJson(response, 200, { ...TINY_METADATA, ...change });
    return answer(request, response, body);
  };
}

export const TINY_METADATA = {
  name: "tiny",
  versions: ["1"],
  platform: "test",
  inputs: [{ name: "thumbnail", datatype: "UINT8", shape: [-1, 2, 2, 3] }],
  outputs: [{ name: "logits", datatype: "FP32", shape: [-1, 2] }],
};

export function sendJson(response: ServerResponse, status: number, message: unknown, type = "application/json"): void {
  response.writeHead(status, { "Content-Type": type }).end(JSON.stringify(message));
}

export async function faultyOrigin(answer: Answer): Promise<FaultyOrigin> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    asked.push(request.url ?? "");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    await answer(request, response, Buffer.concat(chunks));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
