/** Commands that ask a service, against the Worker with the embedded origin behind it; and `doctor` on faults. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { cli } from "./run.ts";

const KEYS = { SIGNING_KEYS: JSON.stringify({ "web-1": "correct horse battery staple, and 32 bytes" }) };

let origin: RunningOrigin;
let worker: TestWorker;
beforeAll(async () => {
  origin = await startOrigin();
  worker = await startWorker({ ORIGINS: origin.url, ALLOW_UNSIGNED: "false" }, KEYS);
});
afterAll(async () => {
  await worker?.close();
  await origin?.stop();
});

test("a service classifies as the models here do", async () => {
  const args = ["classify", "examples/photos", "--size", "112", "--top", "2", "--json"];
  const [here, there] = await Promise.all([cli(args), cli([...args, "--service", worker.url.href], KEYS)]);
  expect([here.code, there.code]).toEqual([0, 0]);
  const read = (stdout: string) =>
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .sort((a, b) => (a.photo < b.photo ? -1 : 1));
  const [ours, theirs] = [read(here.stdout), read(there.stdout)];
  expect(ours.map(({ predictions: [best] }) => best.label)).toEqual(["church", "French horn", "parachute"]);
  expect(theirs).toHaveLength(3);
  theirs.forEach((answer, i) => {
    expect(answer).toMatchObject({ photo: ours[i].photo, model: ours[i].model, thumbnail: ours[i].thumbnail });
    expect(answer.predictions[0].label).toBe(ours[i].predictions[0].label);
    expect(answer.predictions[0].probability).toBeCloseTo(ours[i].predictions[0].probability, 5);
  });
});

test.each([
  { options: ["--adaptive", "1", "--teacher", "yes"], models: ["restored-56", "restored-112", "teacher-224"] },
  { options: ["--head", "student", "--adaptive", "1"], models: ["student-56", "student-112"] },
])(
  "a cascade $options asks the same models here as at a service",
  async ({ options, models }) => {
    const args = ["classify", "examples/photos/church.jpg", "--json", ...options];
    const ended = await Promise.all([cli(args), cli([...args, "--service", worker.url.href], KEYS)]);
    const [here, there] = ended.map(({ stdout }) => JSON.parse(stdout));
    expect(here.stages.map(({ model }: { model: string }) => model)).toEqual(models);
    expect(there.stages.map(({ model }: { model: string }) => model)).toEqual(models);
    expect(here).toMatchObject({ model: there.model, thumbnail: there.thumbnail });
    expect(here.predictions[0].probability).toBeCloseTo(there.predictions[0].probability, 5);
  },
  120_000,
);

test("a service that refuses is quoted, and the exit code says so", async () => {
  const { code, stdout, stderr } = await cli(["classify", "examples/photos/church.jpg", "--service", worker.url.href]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/church\.jpg: The URL is not signed for this service: Expected a signed URL/);
});

test("the doctor finds nothing wrong with a service of the same version", async () => {
  const { code, stdout } = await cli(["doctor", "--service", worker.url.href], KEYS);
  expect(stdout).toMatch(
    /✓ its thumbnails: are the very bytes that are made here\n✓ its classifications: come from restored-56/,
  );
  expect([code, stdout]).toEqual([0, expect.stringContaining("All is well.")]);
});

test("the doctor finds nothing wrong with a service of thumbnails alone", async () => {
  const alone = await startWorker({ ALLOW_UNSIGNED: "true" });
  const { code, stdout } = await cli(["doctor", "--service", alone.url.href]);
  await alone.close();
  expect(stdout).toMatch(/✓ its classifications: there are none, as it has no ORIGINS/);
  expect([code, stdout]).toEqual([0, expect.stringContaining("All is well.")]);
});

test("the doctor says what mends a missing key", async () => {
  const { code, stdout } = await cli(["doctor", "--service", worker.url.href]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ its thumbnails: .*Set SIGNING_KEYS .* here to what the service has\./);
});

test("the doctor says what mends a service that is not there", async () => {
  const { stdout } = await cli(["doctor", "--service", "http://127.0.0.1:9"]);
  expect(stdout).toMatch(/✗ service: http:\/\/127\.0\.0\.1:9\/health cannot be reached\. Is the service running/);
});
