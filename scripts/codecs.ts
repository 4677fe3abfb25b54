/**
 * `node scripts/codecs.ts` writes `src/imaging/codecs/*.wasm`: the codecs of the installed packages, unchanged but for where
 * their linear memory comes from: they import it (`env.memory`) where they made one of their own.
 *
 * A memory that a module makes cannot be freed; it waits for the garbage collector, which may come after the isolate's limit.
 * One that is imported can be used again by the next instance, of the same codec or of another.
 */
import { readFile, writeFile } from "node:fs/promises";
import loadWabt from "wabt";

/** Each codec's package file and the pages (64 KiB) that its static data and stack take. */
export const CODECS = {
  "jpeg-turbo": ["@cwasm/jpeg-turbo/jpeg-turbo.wasm", 2],
  "jpeg-encode": ["@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm", 3],
  "webp-decode": ["@jsquash/webp/codec/dec/webp_dec.wasm", 2],
  "webp-encode": ["@jsquash/webp/codec/enc/webp_enc_simd.wasm", 2],
  "avif-decode": ["@jsquash/avif/codec/dec/avif_dec.wasm", 90],
  "avif-encode": ["@jsquash/avif/codec/enc/avif_enc.wasm", 95],
} as const;

const SECTION = { import: 2, function: 3, memory: 5 } as const;
const MEMORY_IMPORT = 2;

/** The module with its memory imported. @throws Error if it defines not exactly one. */
export function withImportedMemory(wasm: Uint8Array, pages: number): Uint8Array {
  const parts: Uint8Array[] = [wasm.subarray(0, 8)];
  const entry = Uint8Array.of(...text("env"), ...text("memory"), MEMORY_IMPORT, 0, ...leb(pages));
  let isImported = false;
  let isRemoved = false;
  const addImports = (count: number, others: Uint8Array) => {
    parts.push(section(SECTION.import, Uint8Array.of(...leb(count + 1), ...entry, ...others)));
    isImported = true;
  };
  for (let offset = 8; offset < wasm.length; ) {
    const id = wasm[offset] ?? 0;
    const size = readLeb(wasm, offset + 1);
    const body = wasm.subarray(size.end, size.end + size.value);
    if (id === SECTION.import) {
      const count = readLeb(body, 0);
      addImports(count.value, body.subarray(count.end));
    } else if (id === SECTION.memory) {
      if (body[0] !== 1) throw new Error("Expected a module with one memory.");
      isRemoved = true;
    } else {
      if (id === SECTION.function && !isImported) addImports(0, new Uint8Array());
      parts.push(wasm.subarray(offset, size.end + size.value));
    }
    offset = size.end + size.value;
  }
  if (!isImported || !isRemoved) throw new Error("Expected a module with a memory of its own.");
  return new Uint8Array(Buffer.concat(parts));
}

function section(id: number, body: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([Uint8Array.of(id, ...leb(body.length)), body]));
}

function text(value: string): number[] {
  return [value.length, ...Buffer.from(value)];
}

/** Unsigned LEB128, the integers of the binary format. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

function readLeb(bytes: Uint8Array, offset: number): { value: number; end: number } {
  let value = 0;
  for (let end = offset, shift = 0; ; shift += 7) {
    const byte = bytes[end++] ?? 0;
    value |= (byte & 127) << shift;
    if (byte < 128) return { value: value >>> 0, end };
  }
}

/**
 * TurboJPEG's module with an `sbrk` that begins behind the static data. Its own, wasi-libc's, begins where the memory ends and
 * would never use what another codec has left there.
 */
async function withOwnBreak(wasm: Uint8Array, pages: number): Promise<Uint8Array> {
  const wabt = await loadWabt();
  const text = wabt.readWasm(wasm, {}).toText({});
  const sbrk =
    /(\(func \(;\d+;\) \(type \d+\) \(param i32\) \(result i32\))\s+local.get 0\s+i32.eqz\s+if[^(]*memory.size[^(]*memory.grow[^(]*unreachable\)/;
  const end = /\(global \(;0;\) [^\n]*\n/;
  if (!sbrk.test(text) || !end.test(text)) throw new Error("Expected wasi-libc's sbrk.");
  const edited = text
    .replace(sbrk, (_, head) => `${head}${SBRK})`)
    .replace(end, (global) => `${global}(global (mut i32) (i32.const ${pages * 65_536}))\n`);
  return wabt.parseWat("jpeg-turbo.wat", edited).toBinary({}).buffer;
}

/** Global 1 is the end of what has been handed out; -1 says that there is no more. */
const SBRK = `
  (local i32)
  global.get 1
  local.tee 1
  local.get 0
  i32.add
  memory.size
  i32.const 16
  i32.shl
  i32.gt_u
  if
    local.get 1
    local.get 0
    i32.add
    i32.const 65535
    i32.add
    i32.const 16
    i32.shr_u
    memory.size
    i32.sub
    memory.grow
    i32.const -1
    i32.eq
    if
      i32.const -1
      return
    end
  end
  local.get 1
  local.get 0
  i32.add
  global.set 1
  local.get 1`;

/** A codec's module as `src/imaging/codecs` holds it. */
export async function makeCodec(name: keyof typeof CODECS): Promise<Uint8Array> {
  const [file, pages] = CODECS[name];
  const wasm = await readFile(new URL(`../node_modules/${file}`, import.meta.url));
  return withImportedMemory(name === "jpeg-turbo" ? await withOwnBreak(wasm, pages) : wasm, pages);
}

if (import.meta.main) {
  for (const name of Object.keys(CODECS) as (keyof typeof CODECS)[]) {
    await writeFile(new URL(`../src/imaging/codecs/${name}.wasm`, import.meta.url), await makeCodec(name));
  }
}
