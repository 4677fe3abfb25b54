import type { LoadCodec } from "./image.ts";
import { decoderMemory } from "./linear-memory.ts";

/** What `@cwasm/jpeg-turbo`'s wasm exports: the TurboJPEG 2 API for decompression. */
interface TurboExports {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  free(pointer: number): void;
  tjInitDecompress(): number;
  tjDestroy(handle: number): number;
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

/** Names this codec to the memory. */
const turboJpeg = {};

/**
 * Decompresses with DCT scaling and lends the pixels to `use`. `warning`: libjpeg met data that it had to guess.
 * Throws if libjpeg gives up, or what `use` throws; that instance is then dropped.
 */
export async function withDecompressed(
  request: TurboRequest,
  loadCodec: LoadCodec,
  use: (pixels: Uint8Array, warning: boolean) => void,
): Promise<void> {
  const { jpeg, width, height } = request;
  const { code, bytes } = PIXEL_FORMATS[request.format];
  const compiled = await loadCodec("jpeg-turbo");
  decoderMemory.run(
    turboJpeg,
    (memory) => instantiate(compiled, memory),
    (turbo) => {
      const handle = turbo.tjInitDecompress();
      const source = turbo.malloc(jpeg.length);
      const pixels = turbo.malloc(width * height * bytes);
      if (handle === 0 || source === 0 || pixels === 0) throw new Error("TurboJPEG is out of memory");
      new Uint8Array(turbo.memory.buffer, source, jpeg.length).set(jpeg);
      const status = turbo.tjDecompress2(handle, source, jpeg.length, pixels, width, width * bytes, height, code, 0);
      use(new Uint8Array(turbo.memory.buffer, pixels, width * height * bytes), status !== 0);
      turbo.free(source);
      turbo.free(pixels);
      turbo.tjDestroy(handle);
    },
  );
}

function instantiate(compiled: WebAssembly.Module, memory: WebAssembly.Memory): TurboExports {
  const refuse = (): never => {
    throw new Error("TurboJPEG gave up");
  };
  // libjpeg leaves by longjmp after an error: the throw ends the call, and the instance with it.
  const env = { memory, setjmp: () => 0, longjmp: refuse };
  const wasi = {
    environ_sizes_get: () => 0,
    environ_get: refuse,
    proc_exit: refuse,
    fd_close: refuse,
    fd_seek: refuse,
    fd_write: refuse,
  };
  return new WebAssembly.Instance(compiled, { env, wasi_snapshot_preview1: wasi }).exports as unknown as TurboExports;
}
