/**
 * `thumbnet-edge/worker-simd`: what `thumbnet-edge/worker` has, with the downscalers in a WebAssembly kernel instead of ONNX
 * Runtime: smaller, sooner ready and faster, for models of this project's architecture alone.
 *
 * @module
 */
import { entrypoint, type ThumbNetEntrypoint } from "../rpc.ts";
import { thumbnet } from "./thumbnet.ts";

export type { Bindings } from "../http/context.ts";
export { type MountOptions, queueConsumer, thumbnet } from "./thumbnet.ts";
export const ThumbNet = entrypoint(thumbnet);
export type ThumbNet = ThumbNetEntrypoint;
