/** The initializers of an ONNX file by name: as much of protobuf as that takes. Float16 and float32 only; others are empty. */
export function readInitializers(model: Uint8Array): Map<string, Float32Array> {
  const graph = fields(model).find(({ number }) => number === 7)?.bytes ?? new Uint8Array();
  const tensors = fields(graph).filter(({ number }) => number === 5);
  return new Map(
    tensors.map(({ bytes }) => {
      const of = (number: number) => fields(bytes).find((field) => field.number === number);
      const raw = new Uint8Array(of(9)?.bytes ?? []).buffer;
      const type = of(2)?.value;
      const data = type === 1 ? new Float32Array(raw) : Float32Array.from(type === 10 ? new Float16Array(raw) : []);
      return [new TextDecoder().decode(of(8)?.bytes), data];
    }),
  );
}

interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

function fields(message: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const [number, type] = [tag >> 3, tag & 7];
    const value = type === 0 || type === 2 ? varint() : 0;
    const length = type === 2 ? value : type === 5 ? 4 : type === 1 ? 8 : 0;
    found.push({ number, value, bytes: message.subarray(at, at + length) });
    at += length;
  }
  return found;
}
