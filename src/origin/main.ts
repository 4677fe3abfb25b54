/** Entry: `node src/origin/main.ts --models models --port 8000`. */
import { startOrigin } from "./server.ts";
import { listSettings, parseSettings } from "./settings.ts";

if (process.argv.includes("--help")) {
  console.log("Serves a Triton model repository over the Open Inference Protocol (HTTP).\n");
  for (const { flag, variable, preset, description } of listSettings()) {
    console.log(`${flag}, ${variable}${preset === undefined ? "" : ` (${preset})`}\n    ${description}`);
  }
} else {
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1); // not its code alone: the threads that have started would go on
  }
}

async function run(): Promise<void> {
  const settings = parseSettings(process.argv.slice(2), process.env);
  const origin = await startOrigin(settings);
  console.log(`Serving ${origin.models.join(", ")} at ${origin.url}/v2`);

  const end = () => {
    setTimeout(() => {
      console.error(`Requests were still under way after ${settings.exitTimeoutMs} ms.`);
      // `process.exit` would wait for the threads that are inside onnxruntime, which is just what takes too long.
      process.kill(process.pid, "SIGKILL");
    }, settings.exitTimeoutMs).unref();
    void origin.close();
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
}
