/** `backfill` against the Worker in workerd, with its queue. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { inProcess } from "./run.ts";

// The queue waits before it delivers, and before it tries again.
vi.setConfig({ testTimeout: 90_000 });

const church = await readFile("examples/photos/church.jpg");
const OWNER_KEY = "owner-key-owner-key-owner-key-owner-key";

let worker: TestWorker;
let folder: string;
let file: string;
/** Stands before the Worker and fails when told to. */
let gate: Server;
let gateUrl: string;
/** By the number of the request: a status to answer with in the Worker's place. */
let faults: Map<number, number>;
let requests: string[];

beforeAll(async () => {
  worker = await startWorker({}, { OWNER_KEY });
  for (let i = 0; i < 5; i++) await worker.env.ORIGINALS.put(`photos/${i}.jpg`, church);
  await worker.env.ORIGINALS.put("other/church.jpg", church);
  gate = createServer(async (request, response) => {
    requests.push(request.url ?? "");
    const fault = faults.get(requests.length);
    const { authorization = "" } = request.headers;
    const answer = fault
      ? new Response("a proxy's own page", { status: fault })
      : await worker.fetch(request.url ?? "/", { method: request.method ?? "GET", headers: { authorization } });
    const type = answer.headers.get("content-type") ?? "text/plain";
    response.writeHead(answer.status, { "content-type": type }).end(await answer.text());
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  const address = gate.address();
  gateUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(async () => {
  gate?.close();
  await worker?.close();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "backfill-"));
  file = join(folder, "cursor.json");
  faults = new Map();
  requests = [];
  return () => rm(folder, { recursive: true });
});

const run = (args: readonly string[] = [], service = gateUrl) =>
  inProcess(["backfill", service, "--prefix", "photos/", "--page", "2", "--cursor-file", file, ...args], { OWNER_KEY });

test("every key below the prefix goes to the queue, and becomes a thumbnail", async () => {
  const { code, stdout, stderr } = await run();
  expect([code, stdout, stderr]).toEqual([0, `5 keys are on the queue of ${gateUrl}.\n`, ""]);
  expect([requests.length, existsSync(file)]).toEqual([3, false]);
  const names = async () => (await worker.env.THUMBNAILS.list()).objects.map(({ key }) => key.split("/")[1]);
  const expected = Array.from({ length: 5 }, (_, i) => `r2:photos%2F${i}.jpg`);
  await vi.waitFor(async () => expect(await names()).toEqual(expected), { timeout: 60_000, interval: 200 });
});

test("a page that fails for a moment is asked for again", async () => {
  faults.set(2, 503);
  expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining("5 keys") });
  expect(requests).toHaveLength(4);
  expect(requests[2]).toBe(requests[1]);
});

test("a run that is stopped goes on where it was", async () => {
  faults.set(3, 403);
  const stopped = await run();
  expect([stopped.code, stopped.stderr]).toEqual([
    1,
    expect.stringMatching(
      /The server answered 403: a proxy's own page Run the same command again to go on after 4 keys/,
    ),
  ]);
  const { code, stdout } = await run();
  expect([code, stdout]).toEqual([0, expect.stringMatching(/Going on after 4 keys[\s\S]*\n5 keys are on the queue/)]);
  expect(requests).toHaveLength(4);
  expect(existsSync(file)).toBe(false);
});

test("a wrong owner's key is said at once", async () => {
  const { code, stderr } = await inProcess(["backfill", gateUrl, "--cursor-file", file], { OWNER_KEY: "wrong" });
  expect([code, stderr]).toEqual([1, expect.stringContaining('Expected "Authorization: Bearer <OWNER_KEY>"')]);
  expect(requests).toHaveLength(1);
});

test.each([
  ["no service", ["backfill"], /Expected the service's URL/],
  ["no URL", ["backfill", "thumbnails"], /Expected the service's URL/],
  ["two services", ["backfill", "http://a.example", "http://b.example"], /Expected the service's URL/],
  ["a page of nothing", ["backfill", "http://a.example", "--page", "0"], /from 1 to 1000 for --page/],
])("%s is a usage error", async (_, args, message) => {
  expect(await inProcess(args, { OWNER_KEY })).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
});

test("without an owner's key it says where it comes from", async () => {
  const { code, stderr } = await inProcess(["backfill", gateUrl], { OWNER_KEY: "" });
  expect([code, stderr]).toEqual([2, expect.stringContaining("Set OWNER_KEY")]);
});

test.each([
  ["another backfill's", JSON.stringify({ service: "http://a.example", prefix: "", cursor: "c", enqueued: 1 })],
  ["something else", "notes"],
])("a cursor file that is %s is left alone", async (_, text) => {
  await writeFile(file, text);
  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining(file) });
  expect([await readFile(file, "utf8"), requests]).toEqual([text, []]);
});
