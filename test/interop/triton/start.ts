/** NVIDIA's own Triton 2.51, unmodified, on the CPU: the tritonserver inside PyPI's nvidia-pytriton. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { environment, executable } from "../python.ts";
import { freePorts, type ServerProcess, startServer } from "../server-process.ts";

/** @param models folder of a repository; each model's configuration is used as it is, but for the backend. */
export async function startTriton(models: string, names: readonly string[]): Promise<ServerProcess> {
  const python = executable("triton", "python");
  const [version = "", libraries = ""] = execFileSync(
    python,
    ["-c", "import sys, sysconfig; print('%d.%d' % sys.version_info[:2], sysconfig.get_config_var('LIBDIR'))"],
    { encoding: "utf8" },
  ).split(/\s/);
  const home = join(environment("triton"), "lib", `python${version}`, "site-packages/pytriton/tritonserver");
  const stub = join(home, "python_backend_stubs", version, "triton_python_backend_stub");
  if (!existsSync(stub))
    throw new Error(`Expected Python 3.8 to 3.13 for Triton's Python backend, but got ${version}.`);
  copyFileSync(stub, join(home, "backends/python/triton_python_backend_stub"));

  const repository = mkdtempSync(join(tmpdir(), "triton-"));
  for (const name of names) addModel(models, name, repository);
  const sharedMemory = `thumbnet_${basename(repository)}_`;
  const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
  const server = await startServer(
    join(home, "bin/tritonserver"),
    [
      `--model-repository=${repository}`,
      `--backend-directory=${home}/backends`,
      `--cache-directory=${home}/caches`,
      `--http-address=127.0.0.1`,
      `--http-port=${http}`,
      `--grpc-address=127.0.0.1`,
      `--grpc-port=${grpc}`,
      `--metrics-address=127.0.0.1`,
      `--metrics-port=${metrics}`,
      "--exit-timeout-secs=5",
      `--backend-config=python,shm-region-prefix-name=${sharedMemory}`,
    ],
    http,
    { LD_LIBRARY_PATH: libraries, PATH: `${environment("triton")}/bin:${process.env.PATH}` },
  );
  return {
    ...server,
    async stop() {
      await server.stop();
      rmSync(repository, { recursive: true });
      // Left behind when a request has made the server crash.
      for (const region of readdirSync("/dev/shm").filter((name) => name.startsWith(sharedMemory)))
        rmSync(`/dev/shm/${region}`);
    },
  };
}

function addModel(models: string, name: string, repository: string): void {
  const target = join(repository, name);
  mkdirSync(join(target, "1"), { recursive: true });
  const labels = join(models, name, "labels.txt");
  if (existsSync(labels)) cpSync(labels, join(target, "labels.txt"));
  const onnx = resolve(models, name, "1/model.onnx");
  const own = readFileSync(join(models, name, "config.pbtxt"), "utf8");
  if (own.includes('platform: "ensemble"')) {
    writeFileSync(join(target, "config.pbtxt"), own);
    return;
  }
  const config = own.replace('"onnxruntime"', '"python"');
  writeFileSync(
    join(target, "config.pbtxt"),
    `${config}\ninstance_group [{ count: 1 kind: KIND_CPU }]\nparameters { key: "onnx" value { string_value: "${onnx}" } }\n`,
  );
  copyFileSync("test/interop/triton/model.py", join(target, "1/model.py"));
}
