import type { LoadCodec } from "./image.ts";

/** What `@cwasm/jpeg-turbo`'s wasm exports: the TurboJPEG 2 API for decompression. */
interface TurboExports {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  free(pointer: number): void;
  tjInitDecompress(): number;
  tjDestroy(handle: number): number;
  tjDecompressHeader3(
    handle: number,
    data: number,
    size: number,
    w: number,
    h: number,
    subsampling: number,
    space: number,
  ): number;
  tjDecompress2(
    handle: number,
    data: number,
    size: number,
    to: number,
    width: number,
    pitch: number,
    height: number,
    format: number,
    flags: number,
  ): number;
}

const PIXEL_FORMATS = {
  rgb: { code: 0, bytes: 3 },
  grey: { code: 6, bytes: 1 },
  cmyk: { code: 11, bytes: 4 },
} as const;

export interface TurboRequest {
  readonly jpeg: Uint8Array;
  /** The size TurboJPEG shall deliver: the picture's times k/8, rounded up. */
  readonly width: number;
  readonly height: number;
  readonly format: keyof typeof PIXEL_FORMATS;
}

/** A larger linear memory is given back after use: wasm memory never shrinks. */
const KEEP_BYTES = 16 * 2 ** 20;

let idle: TurboExports | undefined;

/**
 * Decompresses with DCT scaling and lends the pixels to `use`. `warning`: libjpeg met data that it had to guess.
 * Throws whatever the wasm throws; that instance is then never used again.
 */
export async function withDecompressed(
  request: TurboRequest,
  loadCodec: LoadCodec,
  use: (pixels: Uint8Array, warning: boolean) => void,
): Promise<void> {
  const turbo = idle ?? (await instantiate(loadCodec));
  // Taken out while in use, put back only after success.
  idle = undefined;
  const { jpeg, width, height } = request;
  const { code, bytes } = PIXEL_FORMATS[request.format];
  const handle = turbo.tjInitDecompress();
  const source = turbo.malloc(jpeg.length);
  if (handle === 0 || source === 0) throw new Error("out of memory");
  new Uint8Array(turbo.memory.buffer, source, jpeg.length).set(jpeg);
  const fields = turbo.malloc(16);
  const pixels = turbo.malloc(width * height * bytes);
  if (fields === 0 || pixels === 0) throw new Error("out of memory");
  if (turbo.tjDecompressHeader3(handle, source, jpeg.length, fields, fields + 4, fields + 8, fields + 12) !== 0) {
    throw new Error("TurboJPEG refused the header");
  }
  const status = turbo.tjDecompress2(handle, source, jpeg.length, pixels, width, width * bytes, height, code, 0);
  use(new Uint8Array(turbo.memory.buffer, pixels, width * height * bytes), status !== 0);
  for (const pointer of [source, fields, pixels]) turbo.free(pointer);
  turbo.tjDestroy(handle);
  if (turbo.memory.buffer.byteLength <= KEEP_BYTES) idle = turbo;
}

async function instantiate(loadCodec: LoadCodec): Promise<TurboExports> {
  const refuse = (): never => {
    throw new Error("TurboJPEG gave up");
  };
  // libjpeg leaves by longjmp after an error: the throw ends the call, and the instance with it.
  const env = { setjmp: () => 0, longjmp: refuse };
  const wasi = {
    environ_sizes_get: () => 0,
    environ_get: refuse,
    proc_exit: refuse,
    fd_close: refuse,
    fd_seek: refuse,
    fd_write: refuse,
  };
  const instance = await WebAssembly.instantiate(await loadCodec("jpeg-turbo"), { env, wasi_snapshot_preview1: wasi });
  return instance.exports as unknown as TurboExports;
}
