/** The service with its downscalers in a WebAssembly kernel of a kilobyte instead of ONNX Runtime's 14 MB (docs/deployment.md). */
import conv from "../downscaler/simd/conv.wasm";
import { loadSimd } from "../downscaler/simd/network.ts";
import { serviceWith } from "../service.ts";

export type { MountOptions } from "../service.ts";
export const { thumbnet, queueConsumer } = serviceWith(async (card, bytes) =>
  loadSimd(conv, card, new Uint8Array(bytes)),
);
