/** The Worker's entry point. */
import { queueConsumer, thumbnet } from "./thumbnet.ts";

export { ThumbNet } from "./rpc.ts";

export default {
  fetch: thumbnet().fetch,
  queue: queueConsumer(),
} satisfies ExportedHandler<Env>;
