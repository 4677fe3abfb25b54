/** The cards that ship, and cards that must not. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type ModelCard, parseCard } from "../../src/downscaler/card.ts";
import { downscalerShapes } from "../../src/downscaler/shapes.ts";

const names = (await readdir("models", { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map((e) => e.name);
const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const readJson = async (name: string) => JSON.parse(await readFile(`models/${name}/card.json`, "utf8"));

describe.each(names)("models/%s", (name) => {
  it("has a valid card of its own name, and the model that the card's hash names", async () => {
    const card = parseCard(await readJson(name), name);
    const files = await Promise.all((card.steps ?? [name]).map((file) => readFile(`models/${file}/1/model.onnx`)));
    const digests = files.map(sha256);
    expect(card.name).toBe(name);
    expect(card.bytes).toBe(files.reduce((sum, { length }) => sum + length, 0));
    expect(card.sha256).toBe(card.steps ? sha256(digests.map((line) => `${line}\n`).join("")) : digests[0]);
  });

  it("says how well it was measured and what it cannot do", async () => {
    const card = parseCard(await readJson(name), name);
    expect(card.evaluation.length).toBeGreaterThan(0);
    expect(card.limits.length).toBeGreaterThan(20);
  });

  it("names models that exist, and labels for each class", async () => {
    const card = parseCard(await readJson(name), name);
    for (const other of [card.downscaler ?? [], card.students].flat()) expect(names).toContain(other);
    if (!card.labels) return;
    const labels = (await readFile(`models/${name}/${card.labels}`, "utf8")).trimEnd().split("\n");
    expect(labels).toHaveLength(card.classes ?? -1);
    expect(card.output.shape).toEqual([-1, card.classes]);
  });
});

describe("a card", () => {
  it.each([
    ["another schema version", { schema: 2 }, "schema"],
    ["an unknown role", { role: "resizer" }, "role"],
    ["no hash", { sha256: "" }, "sha256"],
    ["an unknown filter", { preprocessing: { size: 224, filter: "lanczos", fit: "fill" } }, "filter"],
  ])("with %s is refused, and the message names the field", async (_, change, field) => {
    const json = { ...(await readJson("downscaler-56")), ...change };
    expect(() => parseCard(json, "it")).toThrow(field);
  });

  it.each([
    ["a student", { role: "student" }],
    ["a thumbnail that is not square", { output: { name: "thumbnail", datatype: "UINT8", shape: [-1, 56, 112, 3] } }],
    ["no preprocessing", { preprocessing: null }],
  ] as const)("of %s is not a downscaler", async (_, change) => {
    const card = { ...parseCard(await readJson("downscaler-56"), "it"), ...change } as ModelCard;
    expect(() => downscalerShapes(card)).toThrow("not a downscaler");
  });
});
