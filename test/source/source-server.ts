/** A real HTTP server on loopback in the place of the internet: whatever host is asked for, this one answers. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fetch } from "../../src/source/http.ts";

/** Answers one request; `url` is the one the service believes it asks. */
export type Handler = (url: URL, request: IncomingMessage, response: ServerResponse) => void;

export interface SourceServer {
  /** `fetch` with every connection led to the server. */
  readonly fetch: Fetch;
  /** Every URL that was really asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** Starts a server on a free port. */
export async function startSourceServer(handler: Handler): Promise<SourceServer> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(decodeURIComponent((request.url ?? "/").slice(1)));
    asked.push(url.href);
    handler(url, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    fetch: (url, init) => fetch(`http://127.0.0.1:${port}/${encodeURIComponent(url)}`, init),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
