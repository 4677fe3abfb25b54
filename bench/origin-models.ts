/**
 * Images per second at the embedded origin, one inference thread: students against the teacher at 224 pixels, at 1, 8 and 32
 * connections, with one image and with 32 in each request, and with dynamic batching switched off.
 *
 *     npm run bench -- origin-models [rounds] [seconds]
 */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOrigin } from "../test/origin/start-origin.ts";
import type { LoadOptions } from "./origin/load.ts";
import { inTurns } from "./origin/measure.ts";
import { table, writeResults } from "./report.ts";

const [, , rounds = "3", seconds = "5"] = process.argv;
const TEACHER = { model: "teacher-224", side: 224, input: "image" };
const STUDENTS = [
  { model: "student-56", side: 56, input: "thumbnail" },
  { model: "student-112", side: 112, input: "thumbnail" },
];
const UNBATCHED = "-unbatched";

const folder = await mkdtemp(join(tmpdir(), "models-"));
for (const { model } of [TEACHER, ...STUDENTS]) {
  await cp(join("models", model), join(folder, model), { recursive: true });
  await copyUnbatched(model);
}

const origin = await startOrigin(
  "--models",
  folder,
  "--instances",
  "1",
  "--threads",
  "1",
  "--request-timeout-ms",
  "120000",
);
const rows: {
  model: string;
  batching: string;
  connections: number;
  imagesPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}[] = [];
try {
  for (const connections of [1, 8, 32]) {
    for (const [batching, batch, suffix] of [
      ["dynamic", 1, ""],
      ["none", 1, UNBATCHED],
      ["32 in each request", 32, ""],
    ] as const) {
      const candidates = Object.fromEntries(
        [TEACHER, ...STUDENTS].map(({ model, side, input }): [string, LoadOptions] => [
          model,
          {
            port: origin.port,
            model: `${model}${suffix}`,
            side,
            input,
            batch,
            connections,
            seconds: Number(seconds),
            binary: true,
          },
        ]),
      );
      const results = await inTurns(candidates, Number(rounds));
      for (const [model, { imagesPerSecond, p50Ms, p99Ms }] of Object.entries(results)) {
        rows.push({ model, batching, connections, imagesPerSecond, p50Ms, p99Ms });
      }
      const teacher = results[TEACHER.model]?.imagesPerSecond ?? Number.NaN;
      const factors = STUDENTS.map(
        ({ model }) => `${model} ${((results[model]?.imagesPerSecond ?? Number.NaN) / teacher).toFixed(1)}x`,
      );
      console.error(`${connections} connections, batching ${batching}: ${factors.join(", ")} the teacher's images/s`);
    }
  }
} finally {
  await origin.stop();
  await rm(folder, { recursive: true });
}

console.log(
  table(
    ["model", "batching", "connections", "images/s", "p50 ms", "p99 ms"],
    rows.map((row) => [
      row.model,
      row.batching,
      String(row.connections),
      row.imagesPerSecond.toFixed(1),
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
    ]),
  ),
);
await writeResults("origin-models", `${rounds} ${seconds}`, { rounds, seconds, rows });

/** The same model under another name, whose every request runs alone. */
async function copyUnbatched(model: string): Promise<void> {
  const target = join(folder, `${model}${UNBATCHED}`);
  await cp(join(folder, model), target, { recursive: true });
  const file = join(target, "config.pbtxt");
  const config = (await readFile(file, "utf8"))
    .replace(`name: "${model}"`, `name: "${model}${UNBATCHED}"`)
    .replace(/max_batch_size: \d+/, "max_batch_size: 1");
  await writeFile(file, config);
}
