/** /openapi.json as others read it: a linter finds nothing, and clients that are generated of it compile and work. */

import { assert, assertEquals } from "@std/assert";
import { dataFolder } from "../tests/support/data_folder.ts";
import { ADMIN_KEY, run, servedSample } from "./served_sample.ts";

const LINTER = "@redocly/cli@2.77.0";
const TYPES = "openapi-typescript@7.13.0";
const FETCH = "openapi-fetch@0.17.0";
// One that runs on Node 20, and a TypeScript that it works with.
const HEY_API = "@hey-api/openapi-ts@0.90.0";
const TYPESCRIPT = "typescript@5.9.3";

Deno.test("the linter finds nothing, and generated clients make their calls", async (t) => {
  await using folder = await dataFolder({
    "deno.json": JSON.stringify({
      imports: { "openapi-fetch": `npm:${FETCH}` },
      unstable: ["sloppy-imports"],
    }),
  });
  await using server = await servedSample();
  const { base_url } = server;
  const document = await (await fetch(`${base_url}/openapi.json`)).text();
  await folder.write({ "openapi.json": document });

  await t.step("a linter with its recommended rules", async () => {
    const output = await run(
      ["npx", "-y", LINTER, "lint", "openapi.json"],
      folder.path,
    );
    assert(!/warning|error/i.test(output.replace(/.*Node\.js.*/g, "")), output);
  });

  const answers = {
    bird: 1,
    ids: [1, 5],
    csv: "customer_id,occupation,type,Bird,Boat,Call,Email,Post,total",
    problem: "Invalid start_date format. Use YYYY-MM-DD.",
    bytes: 15,
  };
  for (
    const [program, generate] of [
      ["openapi_fetch.ts", [TYPES, "openapi.json", "-o", "schema.d.ts"]],
      ["hey_api.ts", [
        ...["-p", HEY_API, "-p", TYPESCRIPT],
        ...["openapi-ts", "-i", "openapi.json", "-o", "client"],
      ]],
    ] as const
  ) {
    await t.step(`${program}: five calls`, async () => {
      await run(["npx", "-y", ...generate], folder.path);
      const source = new URL(`clients/${program}`, import.meta.url);
      await Deno.copyFile(source, `${folder.path}/${program}`);
      await run([Deno.execPath(), "check", program], folder.path);
      const output = await run(
        [Deno.execPath(), "run", "--quiet", "-A", program, base_url, ADMIN_KEY],
        folder.path,
      );
      assertEquals(JSON.parse(output), answers);
    });
  }
});
