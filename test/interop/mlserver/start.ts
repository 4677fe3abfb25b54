/** MLServer: the protocol's JSON form alone, without the binary extension. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { environment, executable } from "../python.ts";
import { freePorts, type ServerProcess, startServer } from "../server-process.ts";

export async function startMlserver(models: string, names: readonly string[]): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "mlserver-"));
  const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
  const settings = {
    host: "127.0.0.1",
    http_port: http,
    grpc_port: grpc,
    metrics_port: metrics,
    parallel_workers: 0,
    debug: false,
  };
  writeFileSync(join(folder, "settings.json"), JSON.stringify(settings));
  for (const name of names) {
    const card = JSON.parse(readFileSync(join(models, name, "card.json"), "utf8"));
    mkdirSync(join(folder, name));
    cpSync("test/interop/mlserver/onnx_runtime.py", join(folder, name, "onnx_runtime.py"));
    const model = {
      name,
      implementation: "onnx_runtime.OnnxModel",
      platform: "onnx",
      inputs: [card.input],
      outputs: [card.output],
      parameters: { uri: resolve(models, name, "1/model.onnx"), version: "1" },
    };
    writeFileSync(join(folder, name, "model-settings.json"), JSON.stringify(model));
  }
  const server = await startServer(executable("mlserver", "mlserver"), ["start", folder], http, {
    PATH: `${environment("mlserver")}/bin:${process.env.PATH}`,
  });
  return {
    ...server,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
