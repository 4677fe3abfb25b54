/** One HTTP exchange as it is on the wire: `fetch` would add headers and undo codings. */
import { type IncomingHttpHeaders, request } from "node:http";
import type { Exchange } from "./conversations.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** @throws Error if the server closes without an answer. */
export function exchange(port: number, { method, path = "/", headers = {}, body }: Exchange): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      path,
      method: method ?? "GET",
      agent: false,
      headers: { ...headers, ...(body && { "Content-Length": body.length }) },
    });
    outgoing.on("error", reject);
    outgoing.on("response", async (incoming) => {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.end(body);
  });
}

export const bodyOf = (reply: Reply): unknown => JSON.parse(reply.body.toString());
