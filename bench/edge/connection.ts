/** One HTTP/1.1 connection that is kept, over a bare socket: it takes as little as it can of the processor that servers need. */
import { connect, type Socket } from "node:net";

export interface Reply {
  readonly status: number;
  readonly header: string;
  readonly body: Buffer;
}

export class Connection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<Reply> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      const reply = complete(this.#received);
      if (!reply) return;
      this.#received = Buffer.alloc(0);
      this.#waiting?.resolve(reply);
    });
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("The server closed the connection.")));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Connection(socket);
  }

  /** One at a time. */
  request(path: string, headers: Record<string, string> = {}, body?: Uint8Array): Promise<Reply> {
    this.#waiting = Promise.withResolvers<Reply>();
    const all = { host: "localhost", ...headers, ...(body ? { "content-length": String(body.length) } : {}) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.write(`${body ? "POST" : "GET"} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    if (body) this.#socket.write(body);
    return this.#waiting.promise;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }
}

/** The reply, once all of it is there. Only a 304 may come without a Content-Length. */
function complete(received: Buffer): Reply | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const header = received.toString("latin1", 0, end);
  const status = Number(header.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(header)?.[1] ?? (status === 304 ? "0" : undefined);
  if (length === undefined) throw new Error(`Expected a Content-Length, but got ${header}`);
  const body = received.subarray(end + 4);
  return status === 304 || body.length >= Number(length) ? { status, header, body } : undefined;
}
