/**
 * Requests about a student with the status that a server should answer: ours, and unmodified Triton 2.51's where it differs.
 *
 * They differ where Triton answers 500 to a client's mistake, which the protocol has 400 for, and where it takes what would
 * silently change the image. The interoperability tests hold Triton to its column.
 */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { HEADER_LENGTH } from "../../src/oip/framing.ts";

export const MODEL = "student-56";
const SHAPE = [1, 56, 56, 3];
const SIZE = 56 * 56 * 3;
const INFER = `/v2/models/${MODEL}/infer`;

export interface Exchange {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface Conversation extends Exchange {
  readonly title: string;
  readonly status: number;
  /** "crash" if the server ends without an answer. */
  readonly triton?: number | "crash";
}

const pixels = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7) % 256);
const values = [...pixels];
const bytes = (text: string) => new TextEncoder().encode(text);
const input = (change: object = {}) => ({
  name: "thumbnail",
  shape: SHAPE,
  datatype: "UINT8",
  data: values,
  ...change,
});
const withValue = (first: unknown) => input({ data: [first, ...values.slice(1)] });
const output = (parameters: object, name = "logits") => [{ name, parameters }];

/** A request in JSON. */
const json = (message: unknown, headers = {}): Exchange => ({
  path: INFER,
  body: bytes(JSON.stringify(message)),
  headers,
});
const text = (body: string, headers = {}): Exchange => ({ path: INFER, body: bytes(body), headers });

/** A request in the binary form; `length` in place of the header's true one. */
function binary(parameters: object, tail: Uint8Array, length?: string, change: object = {}): Exchange {
  const header = bytes(JSON.stringify({ inputs: [input({ data: undefined, parameters, ...change })] }));
  return {
    path: INFER,
    headers: { [HEADER_LENGTH]: length ?? String(header.length) },
    body: Uint8Array.of(...header, ...tail),
  };
}
const whole = { binary_data_size: SIZE };

/** A request as it was, but compressed. */
function coded(exchange: Exchange, coding: string, pack: (body: Uint8Array) => Uint8Array): Exchange {
  const { body = new Uint8Array(), headers } = exchange;
  return { ...exchange, headers: { ...headers, "Content-Encoding": coding }, body: Uint8Array.from(pack(body)) };
}
const good = json({ inputs: [input()] });

const about = (title: string, path: string, status: number, more: Partial<Conversation> = {}): Conversation => ({
  title,
  path,
  status,
  ...more,
});
const infer = (title: string, exchange: Exchange, status: number, triton?: Conversation["triton"]): Conversation => ({
  title,
  ...exchange,
  method: exchange.method ?? "POST",
  status,
  ...(triton !== undefined && { triton }),
});

export const CONVERSATIONS: readonly Conversation[] = [
  about("the server's metadata", "/v2", 200),
  about("the server's metadata with a slash, as the official description has it", "/v2/", 200, { triton: 404 }),
  about("liveness", "/v2/health/live", 200),
  about("readiness", "/v2/health/ready", 200),
  about("liveness by POST", "/v2/health/live", 405, { method: "POST" }),
  about("a model's metadata", `/v2/models/${MODEL}`, 200),
  about("a version's metadata", `/v2/models/${MODEL}/versions/1`, 200),
  about("an unknown version", `/v2/models/${MODEL}/versions/9`, 404),
  about("a version that is no number", `/v2/models/${MODEL}/versions/abc`, 404),
  about("an unknown model", "/v2/models/nope", 404),
  about("a model's readiness", `/v2/models/${MODEL}/ready`, 200),
  about("a version's readiness", `/v2/models/${MODEL}/versions/1/ready`, 200),
  about("an unknown version's readiness", `/v2/models/${MODEL}/versions/9/ready`, 400),
  about("an unknown model's readiness", "/v2/models/nope/ready", 400),
  about("statistics of all models", "/v2/models/stats", 200),
  about("a model's statistics", `/v2/models/${MODEL}/stats`, 200),
  about("a version's statistics", `/v2/models/${MODEL}/versions/1/stats`, 200),
  about("no such page", "/v2/nothing", 404),
  about("the root", "/", 404),
  about("inference by GET", INFER, 405),
  about("inference by PUT", INFER, 405, { method: "PUT" }),

  infer("JSON", good, 200),
  infer("JSON to a version", { ...good, path: `/v2/models/${MODEL}/versions/1/infer` }, 200),
  infer("an unknown model", { ...good, path: "/v2/models/nope/infer" }, 404),
  infer("an unknown version", { ...good, path: `/v2/models/${MODEL}/versions/9/infer` }, 404),
  infer("an id and a named output", json({ id: "a", inputs: [input()], outputs: [{ name: "logits" }] }), 200),
  infer("an empty list of outputs", json({ inputs: [input()], outputs: [] }), 200),
  infer(
    "members and parameters that nobody knows",
    json({ inputs: [input()], more: 1, parameters: { more: "x" } }),
    200,
  ),
  infer("JSON called text", json({ inputs: [input()] }, { "Content-Type": "text/plain" }), 200),
  infer(
    "JSON with its own length as header length",
    { ...good, headers: { [HEADER_LENGTH]: String(good.body?.length) } },
    200,
  ),
  infer("classification", json({ inputs: [input()], outputs: output({ classification: 3 }) }), 200),
  infer("classification of none", json({ inputs: [input()], outputs: output({ classification: 0 }) }), 200),
  infer("binary output", json({ inputs: [input()], outputs: output({ binary_data: true }) }), 200),
  infer("binary input", binary(whole, pixels), 200),
  infer("bytes alone", { path: INFER, headers: { [HEADER_LENGTH]: "0" }, body: pixels }, 200),
  infer("gzip", coded(good, "gzip", gzipSync), 200),
  infer("gzip around the binary form", coded(binary(whole, pixels), "gzip", gzipSync), 200),
  infer("deflate", coded(good, "deflate", deflateSync), 200),
  infer(
    "identity",
    coded(good, "identity", (body) => body),
    200,
  ),

  infer("nothing", text(""), 400),
  infer("broken JSON", text("{"), 400, 500),
  infer("a list", json([]), 400, 500),
  infer("null", text("null"), 400, 500),
  infer("no inputs", json({}), 400, 500),
  infer("inputs that are no list", json({ inputs: {} }), 400, 500),
  infer("an empty list of inputs", json({ inputs: [] }), 400),
  infer("an id that is a number", json({ id: 1, inputs: [input()] }), 400, 500),
  infer("another input's name", json({ inputs: [input({ name: "image" })] }), 400),
  infer("no name", json({ inputs: [input({ name: undefined })] }), 400, 500),
  infer("no shape", json({ inputs: [input({ shape: undefined })] }), 400, 500),
  infer("no datatype", json({ inputs: [input({ datatype: undefined })] }), 400, 500),
  infer("no data", json({ inputs: [input({ data: undefined })] }), 400),
  infer("another datatype", json({ inputs: [input({ datatype: "FP32" })] }), 400),
  infer("an unknown datatype", json({ inputs: [input({ datatype: "UINT7" })] }), 400),
  infer("another shape", json({ inputs: [input({ shape: [1, 56, 3, 56] })] }), 400),
  infer("no batch axis", json({ inputs: [input({ shape: SHAPE.slice(1) })] }), 400),
  infer("a negative shape", json({ inputs: [input({ shape: [-1, 56, 56, 3] })] }), 400, 500),
  infer("a shape in halves", json({ inputs: [input({ shape: [0.5, 56, 56, 3] })] }), 400, 500),
  infer("no rows", json({ inputs: [input({ shape: [0, 56, 56, 3], data: [] })] }), 400),
  infer("a shape past all memory", json({ inputs: [input({ shape: [2 ** 53 - 1, 56, 56, 3] })] }), 400, "crash"),
  infer("too few values", json({ inputs: [input({ data: values.slice(1) })] }), 400, 500),
  infer("too many values", json({ inputs: [input({ data: [...values, 1] })] }), 400, 500),
  infer("a value of 256", json({ inputs: [withValue(256)] }), 400, 200),
  infer("a value of -1", json({ inputs: [withValue(-1)] }), 400, 500),
  infer("a value of 1.5", json({ inputs: [withValue(1.5)] }), 400, 500),
  infer("a value that is text", json({ inputs: [withValue("1")] }), 400, 500),
  infer("data that is no list", json({ inputs: [input({ data: "1" })] }), 400, 500),
  infer("an input twice", json({ inputs: [input(), input()] }), 400),
  infer("one input more", json({ inputs: [input(), input({ name: "more" })] }), 400),
  infer("an unknown output", json({ inputs: [input()], outputs: [{ name: "labels" }] }), 400),
  infer("an output without a name", json({ inputs: [input()], outputs: [{}] }), 400, 500),
  infer("classification of -1", json({ inputs: [input()], outputs: output({ classification: -1 }) }), 400, 500),
  infer("binary_data that is text", json({ inputs: [input()], outputs: output({ binary_data: "true" }) }), 400, 500),
  infer("a byte too few", binary(whole, pixels.slice(1)), 400),
  infer("a byte too many", binary(whole, Uint8Array.of(...pixels, 0)), 400),
  infer("a size that is not the shape's", binary({ binary_data_size: 5 }, pixels.slice(0, 5)), 400),
  infer("a negative size", binary({ binary_data_size: -5 }, pixels), 400, 500),
  infer("a size that is text", binary({ binary_data_size: "9408" }, pixels), 400, 500),
  infer("data and a size", binary(whole, pixels, undefined, { data: values }), 400),
  infer("bytes alone, one too few", { path: INFER, headers: { [HEADER_LENGTH]: "0" }, body: pixels.slice(1) }, 400),
  infer("a header length past the end", binary(whole, pixels, "999999"), 400),
  infer("a header length too small", binary(whole, pixels, "10"), 400, 500),
  infer("a header length below 0", binary(whole, pixels, "-5"), 400),
  infer("a header length that is no number", binary(whole, pixels, "abc"), 400),
  infer(
    "plain JSON called gzip",
    coded(good, "gzip", (body) => body),
    400,
  ),
  infer("deflate without its zlib header", coded(good, "deflate", deflateRawSync), 400),
  infer(
    "gzip cut short",
    coded(good, "gzip", (body) => gzipSync(body).subarray(0, 100)),
    400,
    500,
  ),
  infer("brotli", coded(good, "br", brotliCompressSync), 415, 501),
];
