/** The options of a thumbnail on the command line: those of the URL contract, read by its own schema. */
import { z } from "zod";
import { Problem } from "../errors.ts";
import { FORMATS } from "../imaging/encode.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import { canonicalOptions, parseOptions, thumbnailOptions } from "../request/options.ts";
import { type Line, type OptionDescription, UsageError } from "./command.ts";

const property = z.object({ description: z.string(), enum: z.array(z.string()).optional() });

/** One row for each option of a schema of the URL contract. */
export function optionsOf(schema: z.ZodType): Record<string, OptionDescription> {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const { properties } = z.object({ properties: z.record(z.string(), property) }).parse(json);
  return Object.fromEntries(
    Object.entries(properties).map(([name, { description, enum: values }]) => [
      name,
      { type: "string", value: values?.filter((value) => value !== "auto").join("|") ?? name, help: description },
    ]),
  );
}

/** @throws UsageError in the words of the service. */
export function readOptions<T>({ values }: Line, schema: z.ZodType<T>): T {
  const names = Object.keys(optionsOf(schema));
  const given = Object.fromEntries(names.map((name) => [name, values[name]]));
  try {
    return parseOptions(canonicalOptions(given) || "_", schema);
  } catch (error) {
    throw error instanceof Problem ? new UsageError(error.message) : error;
  }
}

export const SPEC_OPTIONS = optionsOf(thumbnailOptions);

/** @throws UsageError */
export function specOf(line: Line): ThumbnailSpec {
  const { format, ...others } = readOptions(line, thumbnailOptions);
  if (format === "auto") throw new UsageError(`format: auto is for browsers; name one of ${FORMATS.join(", ")}.`);
  return { ...others, format };
}
