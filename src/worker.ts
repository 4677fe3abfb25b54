/** The Worker's entry point. */
import { createApp } from "./app.ts";
import { createConsumer } from "./queue/consume.ts";
import { classifyModels } from "./runtime/students.ts";
import { downscalers, loadCodec } from "./runtime/workerd.ts";

const app = createApp({ downscalers, loadCodec, ...classifyModels });

export default {
  fetch: app.fetch,
  queue: createConsumer({ downscalers, loadCodec }),
} satisfies ExportedHandler<Env>;
