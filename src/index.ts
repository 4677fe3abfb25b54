/**
 * `thumbnet-edge/worker`: the service as parts of a Worker of one's own. Its models are imported as bytes, for which
 * `wrangler.toml` needs the rule `type = "Data"` for `.onnx` files (examples/mount).
 *
 * @module
 */
import { entrypoint, type ThumbNetEntrypoint } from "./rpc.ts";
import { thumbnet } from "./thumbnet.ts";

export type { Bindings } from "./http/context.ts";
export { type MountOptions, queueConsumer, thumbnet } from "./thumbnet.ts";
export const ThumbNet = entrypoint(thumbnet);
export type ThumbNet = ThumbNetEntrypoint;
