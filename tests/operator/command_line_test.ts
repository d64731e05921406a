/** The arguments of every command: --help, an unknown option, and one that is given twice. */

import { assertEquals, assertMatch } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);

/** An option of each command, as it is given. */
const COMMANDS: Readonly<Record<string, string | null>> = {
  "check-data": "--json",
  client: null,
  compare: "--seed=1",
  erase: "--dry-run",
  key: "--file=a",
  load: null,
  suggest: "--json",
};

for (const [name, option] of Object.entries(COMMANDS)) {
  Deno.test(`${name}: --help, an unknown option, and one that is given twice`, async () => {
    const [, ...command] = tasks[name].command.split(" ");
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [...command.toSpliced(1, 0, "--no-prompt"), ...args],
        cwd: ROOT,
      }).output();
      const [out, error] = [stdout, stderr].map((bytes) =>
        new TextDecoder().decode(bytes)
      );
      return { code, out, error };
    };
    const { out: usage, ...helped } = await run("--help");
    assertEquals(helped, { code: 0, error: "" });
    assertMatch(usage, new RegExp(`^Usage:\\s+deno task ${name}[ \n]`));
    assertEquals(await run("--nope"), {
      code: 1,
      out: "",
      error: `Unknown option '--nope'.\n${usage}`,
    });
    if (option === null) return;
    const [long] = option.split("=");
    assertEquals(await run(option, "a", option), {
      code: 1,
      out: "",
      error: `${long} is there twice.\n${usage}`,
    });
  });
}
