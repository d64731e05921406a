/** Reads the arguments of a command: --help, unknown options and options given twice are the same for all. */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { fail, print } from "./terminal.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** The arguments of this process. Ends it with `usage` after --help, and after what is wrong. */
export function readArguments<const Given extends Options>(
  options: Given,
  usage: string,
) {
  const allowPositionals = true;
  const all: Options = { ...options, help: { type: "boolean" } };
  try {
    const { values, tokens } = parseArgs({
      options: all,
      allowPositionals,
      tokens: true,
    });
    if (values.help) {
      print(usage);
      Deno.exit();
    }
    const names = tokens.flatMap((token) =>
      token.kind === "option" ? [token.name] : []
    );
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) fail(`--${twice} is there twice.\n${usage}`);
    return parseArgs({ options, allowPositionals });
  } catch (error) {
    // Node's advice about arguments that begin with a dash has quotes that do not match.
    const [what] = (error as Error).message.split(". To specify");
    return fail(`${what.replace(/\.$/, "")}.\n${usage}`);
  }
}
