/** The Worker's entry point. */
import { createApp } from "./app.ts";
import { downscalers, loadCodec } from "./runtime/workerd.ts";

const app = createApp({ downscalers, loadCodec });

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
