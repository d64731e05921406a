/** dashboard/built/: what is committed is what the code makes. */

import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

Deno.test("the script of the page is that of the code; `deno task dashboard` writes it", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const [program, ...args] = tasks.dashboard.command.split(" ");
  assertEquals(program, "deno");
  const built = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: args.map((arg: string) =>
        arg.startsWith("--output=") ? `--output=${built}` : arg
      ),
      cwd: ROOT,
    }).output();
    assertEquals(success, true, new TextDecoder().decode(stderr));
    assertEquals(
      await Deno.readTextFile(new URL("dashboard/built/dashboard.js", ROOT)) ===
        await Deno.readTextFile(built),
      true,
      "Run `deno task dashboard`",
    );
  } finally {
    await Deno.remove(built);
  }
});
