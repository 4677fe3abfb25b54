/** Tensor contents as JSON: numbers, booleans or strings, flat or nested by axis, to and from the binary form. */
import { packByteStrings, unpackByteStrings } from "./byte-strings.ts";
import { alignedBuffer, DATATYPES, type Datatype, elementCount, type Tensor } from "./datatypes.ts";
import { ProtocolError } from "./error.ts";

/** Deeper nesting than any tensor has axes is refused before it can exhaust the stack. */
const MAX_NESTING = 16;

/**
 * Packs the `data` member of a JSON tensor. Nesting need not follow the shape (the protocol allows flat row-major data);
 * the number of elements must.
 *
 * @throws ProtocolError 400 if a value does not fit the datatype exactly, or the count is not the shape's.
 */
export function packJsonData(name: string, datatype: Datatype, shape: readonly number[], data: unknown): Uint8Array {
  if (!Array.isArray(data)) throw new ProtocolError(400, `Expected an array in "data" of ${name}.`);
  const count = elementCount(shape);
  const values: unknown[] = [];
  flatten(data, values, count, 1);
  if (values.length !== count) {
    throw new ProtocolError(400, `Expected ${count} values in "data" of ${name} for the shape [${shape}].`);
  }
  if (datatype === "BYTES") return packStrings(name, values);
  const make = DATATYPES[datatype].values;
  if (!make) throw new ProtocolError(400, `${datatype} is carried in binary only, but ${name} came as JSON.`);

  const packed = make(count);
  const write = WRITERS[datatype] ?? writeNumber;
  for (let i = 0; i < count; i++) {
    if (!write(packed, i, values[i])) {
      throw new ProtocolError(400, `Value ${i} of ${name} is not ${datatype}: ${inWords(values[i])}.`);
    }
  }
  return new Uint8Array(packed.buffer);
}

/**
 * The elements of a tensor as flat JSON values.
 *
 * @throws ProtocolError 400 for datatypes JSON cannot carry, 500 for NaN and infinities (JSON has none) and for integers beyond
 *   2^53, which would lose digits.
 */
export function unpackJsonData({ name, datatype, bytes }: Tensor): (number | boolean | string)[] {
  if (datatype === "BYTES") return unpackByteStrings(bytes).map((element) => new TextDecoder().decode(element));
  const { values: make, bytes: size } = DATATYPES[datatype];
  if (!make) throw new ProtocolError(400, `${datatype} is carried in binary only: ask for ${name} with binary_data.`);
  const packed = make(bytes.byteLength / size);
  new Uint8Array(packed.buffer).set(new Uint8Array(alignedBuffer(bytes)));
  const values: number[] = [];
  for (const value of packed) values.push(Number(value));
  if (datatype === "BOOL") return values.map((value) => value !== 0);
  const isExact = datatype === "INT64" || datatype === "UINT64" ? Number.isSafeInteger : Number.isFinite;
  if (values.every(isExact)) return values;
  throw new ProtocolError(
    500,
    `${name} has values that are not finite or not exact in JSON: ask for it with binary_data.`,
  );
}

type Packed = ReturnType<NonNullable<(typeof DATATYPES)[Datatype]["values"]>>;

/** Writes one value and says whether it fitted. */
type Write = (packed: Packed, index: number, value: unknown) => boolean;

/** Integers must survive unchanged: 256 in a UINT8 tensor is refused where Triton wraps it to 0. */
const writeNumber: Write = (packed, index, value) => {
  if (typeof value !== "number" || packed instanceof BigInt64Array || packed instanceof BigUint64Array) return false;
  packed[index] = value;
  return packed[index] === value;
};

const writeFloat: Write = (packed, index, value) => {
  if (typeof value !== "number" || packed instanceof BigInt64Array || packed instanceof BigUint64Array) return false;
  packed[index] = value;
  return Number.isFinite(packed[index]);
};

/** JSON numbers beyond 2^53 have already lost digits, so they are refused; binary carries all 64 bits. */
const writeBigInt: Write = (packed, index, value) => {
  if (!(packed instanceof BigInt64Array || packed instanceof BigUint64Array) || !Number.isSafeInteger(value))
    return false;
  const exact = BigInt(Number(value));
  packed[index] = exact;
  return packed[index] === exact;
};

const writeBoolean: Write = (packed, index, value) => {
  if (typeof value !== "boolean" || !(packed instanceof Uint8Array)) return false;
  packed[index] = value ? 1 : 0;
  return true;
};

const WRITERS: Partial<Record<Datatype, Write>> = {
  BOOL: writeBoolean,
  INT64: writeBigInt,
  UINT64: writeBigInt,
  FP32: writeFloat,
  FP64: writeFloat,
};

/** Stops one past `limit`: a body may nest more values than the shape admits to. */
function flatten(data: readonly unknown[], into: unknown[], limit: number, depth: number): void {
  if (depth > MAX_NESTING) throw new ProtocolError(400, `Expected at most ${MAX_NESTING} levels of nesting in "data".`);
  for (const value of data) {
    if (into.length > limit) return;
    if (Array.isArray(value)) flatten(value, into, limit, depth + 1);
    else into.push(value);
  }
}

function packStrings(name: string, values: readonly unknown[]): Uint8Array {
  const encoder = new TextEncoder();
  return packByteStrings(
    values.map((value, i) => {
      if (typeof value === "string") return encoder.encode(value);
      throw new ProtocolError(400, `Value ${i} of ${name} is not a string: ${inWords(value)}.`);
    }),
  );
}

/** For a message. An object may be as deep as the body is long, and a text as long. */
function inWords(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(JSON.stringify(value)).slice(0, 80);
}
