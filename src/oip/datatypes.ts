/**
 * The tensor datatypes of the Open Inference Protocol v2 and what each needs on the wire.
 *
 * Contents are always held as the protocol's binary form (row-major, little-endian, no padding), whichever way they came.
 * Every host this runs on (x86-64, arm64, wasm) is little-endian, so a typed array over these bytes is the tensor.
 */
import { ProtocolError } from "./error.ts";

/** `bytes` per element; `values` makes the typed array that holds them, absent where JSON cannot carry the datatype. */
export const DATATYPES = {
  BOOL: { bytes: 1, values: (count: number) => new Uint8Array(count) },
  UINT8: { bytes: 1, values: (count: number) => new Uint8Array(count) },
  UINT16: { bytes: 2, values: (count: number) => new Uint16Array(count) },
  UINT32: { bytes: 4, values: (count: number) => new Uint32Array(count) },
  UINT64: { bytes: 8, values: (count: number) => new BigUint64Array(count) },
  INT8: { bytes: 1, values: (count: number) => new Int8Array(count) },
  INT16: { bytes: 2, values: (count: number) => new Int16Array(count) },
  INT32: { bytes: 4, values: (count: number) => new Int32Array(count) },
  INT64: { bytes: 8, values: (count: number) => new BigInt64Array(count) },
  /** Triton takes half floats in binary only, and so do we. */
  FP16: { bytes: 2, values: undefined },
  BF16: { bytes: 2, values: undefined },
  FP32: { bytes: 4, values: (count: number) => new Float32Array(count) },
  FP64: { bytes: 8, values: (count: number) => new Float64Array(count) },
  /** Each element carries a 4-byte length in front, so the size is known only from the contents. */
  BYTES: { bytes: undefined, values: undefined },
} as const satisfies Record<string, { bytes: number | undefined; values: ((count: number) => TypedArray) | undefined }>;

type TypedArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export type Datatype = keyof typeof DATATYPES;

/** A tensor of either direction. `bytes` are its contents in the protocol's binary form. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  /** Includes the batch axis. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * The number of elements of a shape.
 *
 * @throws ProtocolError 400 if it does not fit into a safe integer (a crafted shape must not wrap around to a small size).
 */
export function elementCount(shape: readonly number[]): number {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (Number.isSafeInteger(count)) return count;
  throw new ProtocolError(400, `The shape [${shape}] has more elements than can be addressed.`);
}

/** Bytes a tensor must have, or `undefined` for BYTES, whose elements vary. */
export function byteSize(datatype: Datatype, shape: readonly number[]): number | undefined {
  const { bytes } = DATATYPES[datatype];
  return bytes === undefined ? undefined : bytes * elementCount(shape);
}

/**
 * The elements of an FP32 tensor.
 *
 * @throws ProtocolError 400 if the tensor is of another datatype or its size is not a multiple of 4 bytes.
 */
export function float32Values(tensor: Tensor): Float32Array {
  if (tensor.datatype !== "FP32" || tensor.bytes.byteLength % 4 !== 0) {
    throw new ProtocolError(400, `Expected whole FP32 values in ${tensor.name}, but got ${tensor.datatype}.`);
  }
  return new Float32Array(alignedBuffer(tensor.bytes));
}

/** An ArrayBuffer of exactly these bytes; copies only when the view covers a part, as typed arrays must be aligned. */
export function alignedBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
  const copy = new Uint8Array(byteLength);
  copy.set(bytes);
  return copy.buffer;
}
