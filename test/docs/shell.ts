/** Shell commands of the documentation. */
import { readFile } from "node:fs/promises";

/** Marks after "sh" of blocks that cannot be run here, and what they need. */
export const MARKS = ["account", "gpu", "python"] as const;

export interface ShellLine {
  readonly file: string;
  /** "" if the command is to work on any machine. */
  readonly mark: string;
  /** As typed, continued lines joined, comments taken off. */
  readonly text: string;
}

export async function shellLines(file: string): Promise<ShellLine[]> {
  const markdown = await readFile(file, "utf8");
  return Array.from(markdown.matchAll(/^```(?:sh|bash|shell)\b *(.*)\n([\s\S]*?)^```/gm)).flatMap(
    ([, mark = "", block = ""]) =>
      block
        .replace(/\\\n\s*/g, "")
        .split("\n")
        .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
        .filter(Boolean)
        .map((text) => ({ file, mark: mark.trim(), text })),
  );
}
