/** The Worker's entry point without ONNX Runtime. */
import { entrypoint } from "../rpc.ts";
import { queueConsumer, thumbnet } from "./thumbnet.ts";

export const ThumbNet = entrypoint(thumbnet);

export default {
  fetch: thumbnet().fetch,
  queue: queueConsumer(),
} satisfies ExportedHandler<Env>;
