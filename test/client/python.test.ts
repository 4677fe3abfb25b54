/** A fresh Python project, with nothing but the standard library and a copy of examples/python/thumbnet.py, uses the service. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";

const CHURCH = resolve("examples/photos/church.jpg");
const KEY = { SIGNING_KEY_ID: "web-1", SIGNING_SECRET: "correct horse battery staple, and 32 bytes" };

let project: string;
let origin: RunningOrigin;
let worker: TestWorker;
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "python-"));
  copyFileSync("examples/python/thumbnet.py", join(project, "thumbnet.py"));
  origin = await startOrigin();
  worker = await startWorker(
    { ORIGINS: origin.url, ALLOW_UNSIGNED: "false", PRESETS: '{"tiny": "size=56,format=npy"}' },
    { SIGNING_KEYS: JSON.stringify({ [KEY.SIGNING_KEY_ID]: KEY.SIGNING_SECRET }) },
  );
  await worker.env.ORIGINALS.put("photos/church.jpg", readFileSync(CHURCH));
});
afterAll(async () => {
  await worker?.close();
  await origin?.stop();
  rmSync(project, { recursive: true, force: true });
});

/** `-S` leaves out every installed package. */
function python(args: readonly string[], env: Record<string, string> = KEY) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
    const options = { cwd: project, env: { PATH: process.env.PATH, SERVICE: worker.url.href, ...env } };
    execFile("python3", ["-S", ...args], options, (error, stdout, stderr) =>
      done({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
}

test("its command signs, saves thumbnails and prints what is in photos, and names what the service refuses", async () => {
  const { code, stdout, stderr } = await python(["thumbnet.py", CHURCH, "r2:photos/church.jpg", "r2:missing.jpg"]);
  expect(stdout).toMatch(/church\.jpg: church 0\.\d{3}\nr2:photos\/church\.jpg: church 0\.\d{3}\n$/);
  expect(stderr).toMatch(/^r2:missing\.jpg: source-not-found: The source image does not exist: /);
  expect(code).toBe(1);
  expect(readFileSync(join(project, "0.png"))).toEqual(readFileSync(join(project, "1.png")));
});

test("a program of its own reads a thumbnail's pixels and a batch as it comes", async () => {
  writeFileSync(
    join(project, "program.py"),
    `
import os
from thumbnet import Client

client = Client(os.environ["SERVICE"], os.environ["SIGNING_KEY_ID"], os.environ["SIGNING_SECRET"])
pixels = client.thumbnail("r2:photos/church.jpg", size=112, format="npy")
print(len(pixels) - 112 * 112 * 3, pixels[:6])
answers = sorted(client.batch(["r2:photos/church.jpg", "r2:missing.jpg"], top=1), key=lambda answer: answer["index"])
print(answers[0]["predictions"][0]["label"], answers[1]["type"])
`,
  );
  const { stdout, stderr } = await python(["program.py"]);
  expect(stderr).toBe("");
  expect(stdout).toBe("128 b'\\x93NUMPY'\nchurch /problems/source-not-found\n");
});

test("sources that have to be encoded are signed as they are sent", async () => {
  const keys = ["photos/church ä|'.jpg", "100%.jpg", "a%20b.jpg", "what?.jpg", "a#b.jpg"];
  for (const key of keys) await worker.env.ORIGINALS.put(key, readFileSync(CHURCH));
  writeFileSync(
    join(project, "encoded.py"),
    `
import json, os
from thumbnet import Client, ProblemError

client = Client(os.environ["SERVICE"], os.environ["SIGNING_KEY_ID"], os.environ["SIGNING_SECRET"])
for key in json.loads(os.environ["KEYS"]):
    print(client.thumbnail("r2:" + key, preset="tiny")[:6])
for source in ["r2:a/../100%.jpg", "https://127.0.0.1/ä b.jpg?c=d e", "https://127.0.0.1/a.jpg#top"]:
    try:
        client.thumbnail(source)
    except ProblemError as error:
        print(error.code)
`,
  );
  const { stdout, stderr } = await python(["encoded.py"], { ...KEY, KEYS: JSON.stringify(keys) });
  expect(stderr).toBe("");
  expect(stdout).toBe(`${"b'\\x93NUMPY'\n".repeat(keys.length)}${"source-not-allowed\n".repeat(3)}`);
});

test("a batch of more than one request can hold counts its answers through", async () => {
  writeFileSync(
    join(project, "long.py"),
    `
import os
from thumbnet import Client

client = Client(os.environ["SERVICE"], os.environ["SIGNING_KEY_ID"], os.environ["SIGNING_SECRET"])
answers = client.batch(["r2:missing.jpg"] * 100 + ["r2:photos/church.jpg"])
print([(answer["index"], answer["status"]) for answer in answers if answer["index"] >= 99])
`,
  );
  const { stdout, stderr } = await python(["long.py"]);
  expect(stderr).toBe("");
  expect(stdout).toBe("[(99, 404), (100, 200)]\n");
});

test("a batch whose connection ends too early is an error, and no shorter batch", async () => {
  const torn = createServer((_, response) => response.end('{"index":0,"status":404}\n'));
  await new Promise<void>((listening) => torn.listen(0, "127.0.0.1", listening));
  const { port } = torn.address() as AddressInfo;
  const program =
    "import os; from thumbnet import Client; print(list(Client(os.environ['SERVICE']).batch(['r2:a', 'r2:b'])))";
  const { stdout, stderr } = await python(["-c", program], { SERVICE: `http://127.0.0.1:${port}` });
  torn.close();
  expect([stdout, stderr]).toEqual(["", expect.stringContaining("ended after 1 of 2 answers")]);
});

test("without a key the closed service's refusal is an error with its code", async () => {
  const { code, stderr } = await python(["thumbnet.py", CHURCH], {});
  expect([code, stderr]).toEqual([1, expect.stringContaining("invalid-signature: The URL is not signed")]);
});
