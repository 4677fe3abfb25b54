/** SECURITY.md points to proofs; this holds the pointers. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const text = readFileSync("SECURITY.md", "utf8");

test("every test and file that SECURITY.md names exists", () => {
  const paths = Array.from(
    text.matchAll(/`((?:test|src|examples)\/[\w./-]+)`|\]\(([\w./-]+)\)/g),
    ([, code, link]) => code ?? link ?? "",
  );
  expect(paths.length).toBeGreaterThan(30);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

test("every benchmark that SECURITY.md names exists", () => {
  const names = Array.from(text.matchAll(/`npm run bench -- (\w+)/g), ([, name]) => name);
  expect(names.length).toBeGreaterThan(1);
  expect(names.filter((name) => !existsSync(`bench/${name}.ts`))).toEqual([]);
});

test("the deployed configuration has what SECURITY.md builds on", () => {
  const configuration = readFileSync("wrangler.toml", "utf8");
  expect(configuration).toMatch(/^compatibility_flags = \[.*"global_fetch_strictly_public".*\]$/m);
  expect(configuration).toMatch(/^\[observability\.logs\]\ninvocation_logs = false$/m);
  expect(configuration).toMatch(/^name = "RATE_LIMITER"$/m);
});

test("every threat has a defence and a proof", () => {
  const table = text.slice(text.indexOf("| threat |"), text.indexOf("## What was run"));
  const rows = table.trim().split("\n").slice(2);
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    const [, threat, defence, proof] = row.split(" | ".trim()).map((cell) => cell.trim());
    expect(
      [threat, defence].every((cell) => cell && cell.length > 10),
      row,
    ).toBe(true);
    expect(proof, row).toMatch(/`(test\/|npm run)/);
  }
});
