/** The binary form of BYTES tensors: each element is its length as 4 little-endian bytes, then its contents. */
import { ProtocolError } from "./error.ts";

const LENGTH_BYTES = 4;

export function packByteStrings(elements: readonly Uint8Array[]): Uint8Array {
  const total = elements.reduce((sum, element) => sum + LENGTH_BYTES + element.byteLength, 0);
  const packed = new Uint8Array(total);
  const view = new DataView(packed.buffer);
  let offset = 0;
  for (const element of elements) {
    view.setUint32(offset, element.byteLength, true);
    packed.set(element, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + element.byteLength;
  }
  return packed;
}

/** @throws ProtocolError 400 if an element's length runs past the end. */
export function unpackByteStrings(packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const elements: Uint8Array[] = [];
  let offset = 0;
  while (offset < packed.byteLength) {
    const left = packed.byteLength - offset - LENGTH_BYTES;
    const length = left < 0 ? Number.NaN : view.getUint32(offset, true);
    if (!(length <= left)) {
      throw new ProtocolError(400, `A BYTES element at byte ${offset} runs past the ${packed.byteLength} bytes given.`);
    }
    elements.push(packed.subarray(offset + LENGTH_BYTES, offset + LENGTH_BYTES + length));
    offset += LENGTH_BYTES + length;
  }
  return elements;
}
