/** What a command is, and how its line is read (by Node's own `parseArgs`) and explained. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The line that was typed is at fault; the exit code is 2, as in other Unix tools. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** With its cause, without which "fetch failed" says nothing. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === "fetch failed" && error.cause
    ? `${error.message}: ${messageOf(error.cause)}`
    : error.message;
}

export interface OptionDescription {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly help: string;
}

export interface Line {
  /** Of options with `type: "string"`. */
  readonly values: Readonly<Record<string, string | undefined>>;
  /** Names of the given options with `type: "boolean"`. */
  readonly flags: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

export interface Command {
  readonly summary: string;
  /** After the command's name, e.g. `<files, folders or URLs...> [options]`. */
  readonly usage: string;
  readonly details?: string;
  readonly options: Readonly<Record<string, OptionDescription>>;
  /** @returns the exit code: 0, or 1 where something that was asked for could not be done. */
  readonly run: (line: Line) => Promise<0 | 1>;
}

/** @throws UsageError */
export function parseLine(args: readonly string[], options: Command["options"]): Line {
  const config: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: config, allowPositionals: true });
    const texts = Object.entries(values).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []));
    const flags = new Set(Object.keys(values).filter((name) => values[name] === true));
    return { values: Object.fromEntries(texts), flags, positionals };
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** @throws UsageError unless it is a whole number in the range. */
export function wholeNumber(name: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  throw new UsageError(`Expected a whole number from ${minimum} to ${maximum} for --${name}, but got "${text}".`);
}

export function helpOf(name: string, { summary, usage, details, options }: Command): string {
  const rows = Object.entries(options).map(([option, { short, value, help }]): [string, string] => [
    `${short ? `-${short}, ` : "    "}--${option}${value ? ` <${value}>` : ""}`,
    help,
  ]);
  return `${[
    `Usage: thumbnet-edge ${name} ${usage}`,
    summary,
    ...(details ? [details] : []),
    ...(rows.length ? [`Options:\n${columns(rows)}`] : []),
  ].join("\n\n")}\n`;
}

/** Two columns, the second one aligned. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
