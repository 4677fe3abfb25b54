/** The Worker's entry point. */
import { createConsumer } from "./queue/consume.ts";
import { downscalers, loadCodec } from "./runtime/workerd.ts";
import { thumbnet } from "./thumbnet.ts";

export { ThumbNet } from "./rpc.ts";

export default {
  fetch: thumbnet().fetch,
  queue: createConsumer({ downscalers, loadCodec }),
} satisfies ExportedHandler<Env>;
