/**
 * The body of Triton's binary tensor data extension: a JSON header, then the raw tensors in the header's order.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
import { unpackByteStrings } from "./byte-strings.ts";
import { byteSize, elementCount, type Tensor } from "./datatypes.ts";
import { ProtocolError } from "./error.ts";
import { packJsonData, unpackJsonData } from "./json-data.ts";
import type { TensorMessage } from "./messages.ts";

/** Byte length of the JSON in front; absent when the whole body is JSON. */
export const HEADER_LENGTH = "Inference-Header-Content-Length";

const UTF8 = new TextEncoder();

export interface Body {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** A body of JSON alone when no tensor is sent in binary, else the header, its length, and the tensors behind it. */
export function joinBody(message: object, binary: readonly Tensor[]): Body {
  const header = UTF8.encode(JSON.stringify(message));
  if (binary.length === 0) return { headers: { "Content-Type": "application/json" }, body: header };
  const body = new Uint8Array(binary.reduce((sum, { bytes }) => sum + bytes.byteLength, header.byteLength));
  body.set(header);
  let offset = header.byteLength;
  for (const { bytes } of binary) {
    body.set(bytes, offset);
    offset += bytes.byteLength;
  }
  return {
    headers: { "Content-Type": "application/octet-stream", [HEADER_LENGTH]: String(header.byteLength) },
    body,
  };
}

/**
 * Splits a body at the header's length.
 *
 * @param headerLength value of the header field, or undefined when it was not sent.
 * @throws ProtocolError 400 if it is not a whole number within the body.
 */
export function splitBody(
  body: Uint8Array,
  headerLength: string | undefined,
): { json: Uint8Array; binary: Uint8Array } {
  if (headerLength === undefined) return { json: body, binary: body.subarray(body.byteLength) };
  const length = /^\d{1,15}$/.test(headerLength) ? Number(headerLength) : Number.NaN;
  if (length <= body.byteLength) return { json: body.subarray(0, length), binary: body.subarray(length) };
  throw new ProtocolError(
    400,
    `Expected ${HEADER_LENGTH} from 0 to the body's ${body.byteLength} bytes, but got "${headerLength.slice(0, 20)}".`,
  );
}

/** One tensor of a message: in JSON, or in binary with its place taken by a size. */
export function tensorMessage(tensor: Tensor, binary: boolean): TensorMessage {
  const { name, datatype, shape, bytes } = tensor;
  const head = { name, datatype, shape: [...shape] };
  return binary
    ? { ...head, parameters: { binary_data_size: bytes.byteLength }, data: undefined }
    : { ...head, data: unpackJsonData(tensor) };
}

/**
 * The tensors of a message, each from its JSON `data` or from its share of the binary part.
 *
 * @throws ProtocolError 400 if a tensor has both or neither, a size that is not its shape's, or if bytes lack or remain.
 */
export function readTensors(messages: readonly TensorMessage[], binary: Uint8Array): Tensor[] {
  let offset = 0;
  const tensors = messages.map(({ name, datatype, shape, parameters, data }) => {
    const size = parameters?.binary_data_size;
    if ((size === undefined) === (data === undefined)) {
      throw new ProtocolError(400, `Expected either "data" or the parameter "binary_data_size" in ${name}.`);
    }
    if (size === undefined) return { name, datatype, shape, bytes: packJsonData(name, datatype, shape, data) };
    const expected = byteSize(datatype, shape) ?? size;
    if (size !== expected) {
      throw new ProtocolError(
        400,
        `Expected ${expected} bytes in ${name} for [${shape}], but binary_data_size is ${size}.`,
      );
    }
    const bytes = binary.subarray(offset, offset + size);
    if (bytes.byteLength < size) {
      throw new ProtocolError(400, `Expected ${size - bytes.byteLength} more bytes of binary data for ${name}.`);
    }
    offset += size;
    if (datatype === "BYTES" && unpackByteStrings(bytes).length !== elementCount(shape)) {
      throw new ProtocolError(400, `Expected ${elementCount(shape)} elements in ${name} for [${shape}].`);
    }
    return { name, datatype, shape, bytes };
  });
  if (offset < binary.byteLength) {
    throw new ProtocolError(400, `Expected no more binary data, but ${binary.byteLength - offset} bytes follow.`);
  }
  return tensors;
}
