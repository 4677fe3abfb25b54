/** The documentation's tables, each made of what it describes: schemas, model cards, results that benchmarks wrote. */
import { readdir, readFile } from "node:fs/promises";
import { z } from "zod";
import { table } from "../bench/report.ts";
import { EXPLANATIONS } from "../src/api/explanations.ts";
import { classifyOptions } from "../src/classify/options.ts";
import { variables } from "../src/config.ts";
import type { ModelCard } from "../src/downscaler/card.ts";
import { PROBLEMS } from "../src/errors.ts";
import { listSettings } from "../src/origin/settings.ts";
import { thumbnailOptions } from "../src/request/options.ts";
import { readCard } from "../src/runtime/read-card.ts";
import { budgetTable } from "./browser-budget.ts";
import { costTable, priceTable } from "./cost.ts";
import { cascadeTable, originModelTable, serverTable, wireTable } from "./origin-tables.ts";
import {
  decodeTable,
  downscalerTable,
  encodeTable,
  requestTable,
  targetTable,
  throughputTable,
} from "./performance.ts";
import { dataPointTable, hitsQuery, problemsQuery } from "./queries.ts";
import { fuzzTable, refusedHosts, soakTable } from "./security.ts";

/** By the name between `<!-- name -->` and `<!-- /name -->`. */
export const TABLES: Readonly<Record<string, () => string | Promise<string>>> = {
  options: () => optionTable(thumbnailOptions),
  classify: () => optionTable(classifyOptions),
  configuration: () =>
    table(
      ["variable", "default", "meaning"],
      propertiesOf(variables).map(([name, { default: preset, description }]) => [
        `\`${name}\``,
        showDefault(preset),
        description ?? "",
      ]),
    ),
  dataPoint: dataPointTable,
  hitsQuery,
  problemsQuery,
  problems: () =>
    table(
      ["type", "status", "title", "what it means", "what to do"],
      Object.entries(PROBLEMS).map(([code, { status, title }]) => {
        const { meaning, remedy } = EXPLANATIONS[code as keyof typeof PROBLEMS];
        return [`\`/problems/${code}\``, String(status), title, meaning, remedy];
      }),
    ),
  originSettings: () =>
    table(
      ["flag", "variable", "default", "meaning"],
      listSettings().map(({ flag, variable, preset, description }) => [
        `\`${flag}\``,
        `\`${variable}\``,
        preset === undefined ? "none" : `\`${preset}\``,
        description,
      ]),
    ),
  models: modelTable,
  memory: memoryTable,
  refusedHosts,
  fuzz: fuzzTable,
  soak: soakTable,
  browserBudget: budgetTable,
  servers: serverTable,
  originModels: originModelTable,
  wire: wireTable,
  cascadeStudents: () => cascadeTable("students"),
  cascadeLowStride: () => cascadeTable("lowStride"),
  cascadeThousand: () => cascadeTable("wide"),
  cascadeFull: () => cascadeTable("full"),
  cascadeRestored: () => cascadeTable("restored"),
  targets: targetTable,
  requests: requestTable,
  throughput: throughputTable,
  downscaler: downscalerTable,
  decoding: decodeTable,
  encoding: encodeTable,
  cost: costTable,
  prices: priceTable,
};

const property = z.object({
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
});

/** What may be written for each; a number that is written as a text has its default where it is read. */
function propertiesOf(schema: z.ZodType): [string, z.infer<typeof property>][] {
  const described = z.object({ properties: z.record(z.string(), property) });
  const [written, read] = (["input", "output"] as const).map((io) =>
    described.parse(z.toJSONSchema(schema, { io, unrepresentable: "any" })),
  );
  return Object.entries(written?.properties ?? {}).map(([name, found]) => {
    const preset = read?.properties[name]?.default;
    return [name, { ...(typeof preset === "number" && { default: preset }), ...found }];
  });
}

function optionTable(schema: z.ZodType): string {
  return table(
    ["option", "values", "default", "meaning"],
    propertiesOf(schema).map(([name, { enum: values, default: preset, description }]) => [
      `\`${name}\``,
      values?.map((value) => `\`${value}\``).join(", ") ?? "a number",
      preset === undefined ? "" : `\`${preset}\``,
      description ?? "",
    ]),
  );
}

/** Defaults stand in the schema as parsed; in the environment they are texts. */
function showDefault(value: unknown): string {
  if (value === undefined || value === "") return "none";
  if (Array.isArray(value)) return value.length ? `\`${value.join(" ")}\`` : "none";
  return typeof value === "object" ? "none" : `\`${value}\``;
}

async function modelTable(): Promise<string> {
  const models = new URL("../models/", import.meta.url);
  const names = (await readdir(models, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const cards = await Promise.all(names.map(({ name }) => readCard(new URL(`${name}/`, models))));
  const rows = cards.map((card) => ({ card, accuracies: accuraciesOf(card) }));
  const dataSets = [...new Set(rows.flatMap(({ accuracies }) => [...accuracies.keys()]))];
  return table(
    ["model", "file", "multiply-adds", ...dataSets, "limits"],
    rows.map(({ card: { name, bytes, flops, limits }, accuracies }) => [
      `\`${name}\``,
      `${Math.round(bytes / 1000)} kB`,
      `${Math.round(flops / 1e6)} M`,
      ...dataSets.map((dataSet) => accuracies.get(dataSet) ?? ""),
      limits,
    ]),
  );
}

/** What the card says of whole data sets and of all classes, not of parts of them, by data set. A downscaler's says it of others. */
const accuraciesOf = ({ role, evaluation }: ModelCard): ReadonlyMap<string, string> =>
  new Map(
    evaluation
      .filter(({ how }, i) => role !== "downscaler" && (i === 0 || how.endsWith("all classes")))
      .map(({ metric, dataset, images, value }) => [
        `${metric}, ${dataset}, ${images.toLocaleString("en")} images`,
        `${value} %`,
      ]),
  );

const memoryResults = z.object({
  command: z.string(),
  date: z.string(),
  machine: z.object({ cpu: z.string(), cores: z.number(), memoryGiB: z.number() }),
  versions: z.record(z.string(), z.string()),
  rows: z.array(
    z.object({ image: z.string(), megapixels: z.number(), fileMB: z.number(), status: z.number(), peakMB: z.number() }),
  ),
});

async function memoryTable(): Promise<string> {
  const file = new URL("../bench/results/memory.json", import.meta.url);
  const { command, date, machine, versions, rows } = memoryResults.parse(JSON.parse(await readFile(file, "utf8")));
  const figures = table(
    ["image", "megapixels", "file MB", "status", "peak MB, ONNX Runtime included"],
    rows.map((row) => [
      row.image,
      row.megapixels.toFixed(1),
      row.fileMB.toFixed(1),
      String(row.status),
      row.peakMB.toFixed(0),
    ]),
  );
  const used = `workerd ${versions.workerd}, onnxruntime-web ${versions["onnxruntime-web"]}`;
  return `${figures}\n\n(\`${command}\`, ${date}, ${used}, ${machine.cpu}, ${machine.cores} cores.)`;
}
