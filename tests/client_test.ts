/** `deno task client`: the real command; what it writes stands alone and has the types of routes/api.ts. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { endpoints } from "../routes/app.ts";
import { typeOf } from "../routes/client_types.ts";
import { dataFolder, namesIn } from "./support/data_folder.ts";

const ROOT = new URL("../", import.meta.url);
const API_TEST = new URL("routes/api_test.ts", import.meta.url);

/** Runs deno at the top of the repository. */
async function deno(...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), error: text(stderr) };
}

/** Runs the command with the rights that the task has. */
function client(...args: readonly string[]) {
  return deno(
    "run",
    "--quiet",
    "--no-prompt",
    "-P=client",
    "client.ts",
    ...args,
  );
}

Deno.test("it writes two files that need nothing but hono, the same ones each time", async () => {
  await using folder = await dataFolder();
  const texts: string[][] = [];
  for (const name of ["a/b", "c"]) {
    const { code, error } = await client(`${folder.path}/${name}`);
    assertEquals({ code, error }, { code: 0, error: "" });
    const names = await namesIn(`${folder.path}/${name}`);
    assertEquals(names, ["tally.d.ts", "tally.js"]);
    texts.push(
      await Promise.all(
        names.map((one) => Deno.readTextFile(`${folder.path}/${name}/${one}`)),
      ),
    );
  }
  assertEquals(texts[0], texts[1]);
  for (const text of texts[0]) {
    assert(!/zod|routes\/|file:\/\//.test(text));
    for (const [, name] of text.matchAll(/ from "([^"]+)"/g)) {
      assert(/^hono(\/|$)/.test(name), name);
    }
  }
});

Deno.test("its types are those of routes/api.ts, and both take every call of its test", async () => {
  await using folder = await dataFolder();
  await client(folder.path);
  const written = new URL(`file://${folder.path}/tally.d.ts`).href;
  const api_test = (await Deno.readTextFile(API_TEST))
    .replaceAll(
      /from "(\.[^"]+)"/g,
      (_, path) =>
        `from "${
          path.endsWith("/api.ts") ? written : new URL(path, API_TEST)
        }"`,
    );
  assertStringIncludes(api_test, written);
  await folder.write({
    "calls.ts": api_test,
    "same.ts": `
import type { Hono } from "hono";
import type { Api } from "${new URL("routes/api.ts", ROOT)}";
import type { Api as Written } from "./tally.d.ts";

type Paths<T> = T extends Hono<infer _Env, infer Found, infer _Base> ? Plain<Found> : never;
// Intersections and mapped types in one form.
type Plain<T> = T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
    : false;
type Differing<A, B> = {
  [Path in keyof A | keyof B]: Path extends keyof A & keyof B
    ? Same<A[Path], B[Path]> extends true ? never : Path
    : Path;
}[keyof A | keyof B];

// The error names the paths that differ.
({}) satisfies Record<Differing<Paths<Api>, Paths<Written>>, "differs">;
`,
  });
  const { code, error } = await deno(
    "check",
    "--quiet",
    "--config=deno.json",
    `${folder.path}/calls.ts`,
    `${folder.path}/same.ts`,
  );
  assertEquals({ code, error }, { code: 0, error: "" });
});

Deno.test("every endpoint is in it, with its method", async () => {
  await using folder = await dataFolder();
  await client(folder.path);
  const text = await Deno.readTextFile(`${folder.path}/tally.d.ts`);
  const found = text.split(/^ {2}(?=")/m).slice(1).flatMap((block) =>
    Array.from(
      block.matchAll(/^ {4}\$(\w+): /gm),
      ([, method]) => `${method} ${/^"([^"]+)"/.exec(block)![1]}`,
    )
  );
  assertEquals(
    found.sort(),
    endpoints.map(({ method, path }) => `${method} ${path}`).sort(),
  );
});

Deno.test("a folder that cannot be written is named, and more than one is refused", async () => {
  await using folder = await dataFolder({ file: "" });
  const failed = await client(`${folder.path}/file`);
  assertEquals([failed.code, failed.out], [1, ""]);
  assertStringIncludes(failed.error, `${folder.path}/file cannot be written`);
  const { error } = await client("/proc/x");
  assertEquals(
    error,
    "/proc/x cannot be written: this process may not write there\n",
  );
  for (const args of [["a", "b"], ["--nope"]]) {
    const { code, error } = await client(...args);
    assertEquals(code, 1);
    assertStringIncludes(error, "deno task client [DIR]");
  }
});

Deno.test("the TypeScript of a schema", () => {
  assertEquals(
    typeOf({ anyOf: [{ type: "integer" }, { type: "null" }] }),
    "number | null",
  );
  assertEquals(
    typeOf({ type: "array", items: { type: ["string", "null"] } }),
    "Array<string | null>",
  );
  assertEquals(
    typeOf({ type: "object", additionalProperties: { enum: ["a", 1] } }),
    'Record<string, "a" | 1>',
  );
  assertEquals(
    typeOf({
      type: "object",
      properties: { "a-b": { const: true, description: "x */ y" } },
      additionalProperties: {},
    }),
    '{\n  /** x *\\/ y */\n  "a-b"?: true;\n  [name: string]: unknown;\n}',
  );
  assertEquals(typeOf({ $ref: "#/$defs/Report" }), "Report");
  for (const schema of [{ type: "file" }, { allOf: [] }]) {
    let message = "";
    try {
      typeOf(schema as Parameters<typeof typeOf>[0]);
    } catch (error) {
      message = (error as Error).message;
    }
    assertStringIncludes(message, "Which type has");
  }
});
