/** `thumbnet-edge <command>`: every command, and how its errors reach the terminal. */
import { backfill } from "./backfill.ts";
import { classify } from "./classify.ts";
import { type Command, columns, helpOf, messageOf, parseLine, UsageError } from "./command.ts";
import { doctor } from "./doctor.ts";
import { evaluate } from "./evaluate.ts";
import { sheet } from "./sheet.ts";
import { sign } from "./sign.ts";
import { thumbnail } from "./thumbnail.ts";
import { verify } from "./verify.ts";

const COMMANDS: Readonly<Record<string, Command>> = {
  thumbnail,
  sheet,
  classify,
  evaluate,
  sign,
  verify,
  backfill,
  doctor,
};

const HELP = `Usage: thumbnet-edge <command> [options]

Learned classification thumbnails, on this machine and with the very code of the service.

${columns(Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]))}

"thumbnet-edge <command> --help" explains a command. Exit codes: 0 done, 1 something failed, 2 the command line is at fault.
`;

/** @returns the exit code. */
export async function main([name = "--help", ...args]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h" || name === "help") return print(HELP);
  try {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) throw new UsageError(`There is no command "${name}"; there are ${Object.keys(COMMANDS).join(", ")}.`);
    if (args.includes("--help") || args.includes("-h")) return print(helpOf(name, command));
    return await command.run(parseLine(args, command.options));
  } catch (error) {
    console.error(`thumbnet-edge: ${messageOf(error)}`);
    if (!(error instanceof UsageError)) return 1;
    console.error(`Try "thumbnet-edge ${Object.hasOwn(COMMANDS, name) ? `${name} ` : ""}--help".`);
    return 2;
  }
}

function print(text: string): 0 {
  console.log(text.trimEnd());
  return 0;
}
