/** What `deno task client` writes, in a project of its own: plain tsc takes it, and plain Node runs it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dataFolder } from "../tests/support/data_folder.ts";
import { ADMIN_KEY, run, runToEnd, servedSample } from "./served_sample.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
const HONO = imports.hono.replace("npm:hono@", "");
const PROGRAM = await Deno.readTextFile(
  new URL("clients/hono_client.ts", import.meta.url),
);
const TSC = [
  ...["npx", "tsc", "--strict", "--skipLibCheck", "false"],
  ...["--target", "es2022", "--module", "nodenext"],
];

Deno.test("Hono's client outside this repository", async (t) => {
  await using server = await servedSample();
  await using folder = await dataFolder({
    "package.json": JSON.stringify({
      private: true,
      type: "module",
      dependencies: { hono: HONO },
      devDependencies: { typescript: "5.9.3" },
    }),
    "hono_client.ts": PROGRAM,
    "misspelt.ts": PROGRAM.replaceAll("topic:", "topik:"),
  });
  await run(
    [Deno.execPath(), "run", "--quiet", `--config=${ROOT}deno.json`].concat(
      ["-P=client", `${ROOT}client.ts`, folder.path],
    ),
    ROOT,
  );
  await run(["npm", "install", "--no-audit", "--no-fund"], folder.path);

  await t.step(
    "tsc takes the program, and Node's calls are answered",
    async () => {
      await run([...TSC, "hono_client.ts"], folder.path);
      const output = await run(
        ["node", "hono_client.js", server.base_url, ADMIN_KEY],
        folder.path,
      );
      assertEquals(JSON.parse(output), {
        bird: 1,
        rows: [[4, 1], [5, 0]],
        unknown: [99],
        csv: "customer_id,occupation,type,Bird,Boat,Call,Email,Post,total",
        problem: "Customer not found",
        bytes: 15,
        until: true,
      });
    },
  );

  await t.step("tsc refuses a misspelt parameter", async () => {
    const { success, output } = await runToEnd(
      [...TSC, "--noEmit", "misspelt.ts"],
      folder.path,
    );
    assert(!success);
    assertStringIncludes(output, "'topik' does not exist");
  });
});
