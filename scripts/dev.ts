/**
 * `npm start`: the whole service on this machine, without account or network.
 *
 * Puts the example photos into the local R2 bucket of originals, then starts the embedded inference origin and `wrangler dev`.
 * Options after `--` go to wrangler.
 */
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import type { R2Bucket } from "@cloudflare/workers-types";
import { getPlatformProxy } from "wrangler";

/** Without it wrangler asks the network for a sample of `request.cf`, which nothing here reads. */
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

const PHOTOS = new URL("../examples/photos/", import.meta.url);
const port = process.env.PORT ?? "8787";

/** Development is open: any public host may be a source, URLs need no signature. Production starts closed. */
const originPort = process.env.ORIGIN_PORT ?? "8000";
const DEVELOPMENT = ["SOURCE_HOSTS:*", "ALLOW_UNSIGNED:true", `ORIGINS:http://127.0.0.1:${originPort}`].flatMap(
  (value) => ["--var", value],
);

const keys = await seedOriginals();
const wrangler = spawn("wrangler", ["dev", "--port", port, ...DEVELOPMENT, ...process.argv.slice(2)], {
  stdio: "inherit",
});
// If it does not start, as its port is taken by another server of the protocol, that one is asked.
const origin = spawn(process.execPath, ["src/origin/main.ts", "--port", originPort], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => wrangler.kill(signal));
wrangler.on("exit", (code) => {
  origin.kill();
  process.exit(code ?? 0);
});
await untilHealthy(`http://127.0.0.1:${port}`);
console.log(`
ThumbNet Edge is ready, in UNSIGNED mode: whoever reaches this port is served, from any public http(s) image. Production starts
closed (SIGNING_KEYS and SOURCE_HOSTS in the README). Try:

  curl -o thumbnail.png http://127.0.0.1:${port}/thumbnail/size=56/r2:${keys[0]}
  curl http://127.0.0.1:${port}/classify/top=3/r2:${keys[0]}
  curl --data-binary @photo.jpg -o thumbnail.webp http://127.0.0.1:${port}/thumbnail/size=112,format=webp

In the local bucket: ${keys.map((key) => `r2:${key}`).join("  ")}
`);

async function seedOriginals(): Promise<string[]> {
  const { env, dispose } = await getPlatformProxy<{ ORIGINALS: R2Bucket }>();
  const names = (await readdir(PHOTOS)).filter((name) => name.endsWith(".jpg")).sort();
  for (const name of names) await env.ORIGINALS.put(`examples/${name}`, await readFile(new URL(name, PHOTOS)));
  await dispose();
  return names.map((name) => `examples/${name}`);
}

async function untilHealthy(url: string): Promise<void> {
  while (
    !(await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    ))
  ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
