/** Rules of the house that a program can check; each failure says the remedy. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

interface SourceText {
  readonly path: string;
  readonly text: string;
}

// What `deno task client` writes.
const WRITTEN = "./client";

async function sources(folder: string, ending: string): Promise<SourceText[]> {
  const found: SourceText[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))
  ) {
    const path = `${folder}${name}`;
    if (path === WRITTEN) continue;
    if (isDirectory && /^[a-z0-9]/.test(name)) {
      found.push(...await sources(`${path}/`, ending));
    } else if (name.endsWith(ending)) {
      found.push({ path, text: await Deno.readTextFile(new URL(path, ROOT)) });
    }
  }
  return found;
}

const code = [...await sources("./", ".ts"), ...await sources("./", ".tsx")];
const product = code.filter(({ path }) =>
  !/^\.\/(tests|bench|trials)\//.test(path)
);

function importsOf({ path, text }: SourceText): string[] {
  const from = /^(?:import|export)\s[^;]*?from "([^"]+)"|import\("([^"]+)"\)/gm;
  return Array.from(text.matchAll(from), ([, a, b]) => a ?? b).map((name) =>
    name.startsWith(".")
      ? `./${
        new URL(name, new URL(path, ROOT)).pathname.slice(ROOT.pathname.length)
      }`
      : name
  );
}

Deno.test("arrows point one way: main → routes → access and db/store.ts → db/model, and db knows no HTTP", () => {
  const rules: { in: RegExp; not: RegExp; remedy: string }[] = [
    {
      in: /./,
      not: /^\.\/(main|check_data|suggest|key|erase|load|client|compare)\.ts$/,
      remedy: "nothing imports a composition root",
    },
    {
      in: /^\.\/(check_data|erase|load|suggest)\.ts/,
      not: /^(hono|@hono)|^\.\/routes/,
      remedy: "work on a folder needs no HTTP",
    },
    {
      in: /^\.\/operator\//,
      not: /^\.\/(?!operator\/|db\/store\.ts$|db\/model\/)/,
      remedy:
        "of the project, operator/ imports itself, db/store.ts and db/model/",
    },
    {
      in: /^\.\/routes\//,
      not:
        /^\.\/(?!routes\/|access\/|dashboard\/(?!browser\/)|db\/store\.ts$|db\/model\/)/,
      remedy:
        "of the project, routes/ imports itself, access/, the page of dashboard/, db/store.ts and db/model/",
    },
    {
      in: /^\.\/dashboard\//,
      not:
        /^(?!hono\/jsx|d3-)\w|^\.\/(?!dashboard\/|db\/model\/|docs\/examples\/live\.js$)/,
      remedy:
        "the page uses the public API: of the project it imports itself, db/model/ and live.js",
    },
    {
      in: /^\.\/dashboard\/(?!browser\/)/,
      not: /^hono\/jsx\/dom|^\.\/dashboard\/browser\//,
      remedy:
        "outside of dashboard/browser/ the page is drawn without a browser",
    },
    {
      in: /^\.\/access\//,
      not: /^(hono|@hono)|^\.\/(?!access\/|db\/model\/)/,
      remedy:
        "access/ knows no HTTP; of the project it imports itself and db/model/",
    },
    {
      in: /^\.\/routes\//,
      not: /^\.\/access\/(key_file|follow_key_file)\.ts$/,
      remedy: "routes/ gets its callers, and reads no key file",
    },
    {
      in: /^\.\/routes\//,
      not: /^(@duckdb|node:(?!crypto$))/,
      remedy: "engines and files belong behind db/store.ts",
    },
    {
      in: /^\.\/(db|config)/,
      not: /^(hono|@hono)|^\.\/(routes|operator)/,
      remedy: "db/ knows no HTTP and no terminal",
    },
    {
      in: /^\.\/(access|db|operator)\//,
      not: /^\.\/(config|create_store)\.ts$/,
      remedy: "below main.ts a part names the settings that it needs",
    },
    {
      in: /^\.\/db\/(?!duckdb\/)/,
      not: /^@duckdb|^\.\/db\/duckdb/,
      remedy: "only db/duckdb/ knows DuckDB",
    },
    {
      in: /^\.\/db\/model\//,
      not: /^\.\/(?!db\/model\/)/,
      remedy: "db/model/ is imported by all and imports nobody",
    },
    {
      in: /^\.\/db\/serving\/serving_index\.ts/,
      not: /./,
      remedy: "the serving index stands alone",
    },
  ];
  for (const file of product) {
    for (const name of importsOf(file)) {
      for (const { in: where, not, remedy } of rules) {
        assert(
          !(where.test(file.path) && not.test(name)),
          `${file.path} imports ${name}: ${remedy}`,
        );
      }
    }
  }
});

Deno.test("only config.ts reads the environment", () => {
  for (const { path, text } of product) {
    assert(
      path === "./config.ts" || !/Deno\.env|process\.env/.test(text),
      `${path}: make it a setting in config.ts`,
    );
  }
});

Deno.test("work pauses by a timer, since Deno reads no request after setImmediate", () => {
  for (const { path, text } of product) {
    assert(
      !/\bsetImmediate\(/.test(text),
      `${path}: await a pause of db/model/pause.ts`,
    );
  }
});

// Written apart, so that this file has it not.
const MAKES_A_TURN = ["new", "Run("].join(" ");

Deno.test("only the slots make a turn, so that no query runs without a slot", () => {
  for (const { path, text } of code) {
    assert(
      path === "./db/serving/slots.ts" || !text.includes(MAKES_A_TURN),
      `${path}: take the turn from QuestionSlots`,
    );
  }
});

Deno.test("every file begins with one line that says what it is for", () => {
  for (const { path, text } of code) {
    assert(
      /^\/\*\* .+\. \*\/\n\n/.test(text),
      `${path}: begin with /** what it is responsible for. */`,
    );
  }
});

Deno.test("every export has a sentence", () => {
  for (const { path, text } of product) {
    for (
      const [, before, name] of text.matchAll(
        /(.*)\nexport (?:async )?(?:function\*?|class|const|interface|type) (\w+)/g,
      )
    ) {
      assert(
        before.endsWith("*/"),
        `${path}: say in a sentence what ${name} is`,
      );
    }
  }
});

// Comments and literals may have brackets of their own.
const LITERAL =
  /\/\*[^]*?\*\/|\/\/.*|(["'])(?:\\.|(?!\1)[^\\\n])*\1|(?<=[(=:,] ?)\/(?:\\.|\[[^\n]*?[^\\]\]|[^/\\\n[])+\//g;
const PARAMETER = /^(?:readonly )?(?:\.\.\.)?\w+\??(?:: | = )|^[{[]/;
const TYPED = /^(?:readonly )?(?:\.\.\.)?\w+\??: /;

/** The lists of typed parameters in formatted source, each with the name of its function. */
function parameterLists(source: string) {
  const text = source.replaceAll(LITERAL, "''");
  return Array.from(text.matchAll(/\(/g), ({ index }) => {
    const [, name] = /([\w#]+)(?:<[^()]*>| = (?:async )?)?$/.exec(
      text.slice(Math.max(0, index - 80), index),
    ) ?? [];
    const list = [""];
    for (let at = index + 1, depth = 0; at < text.length; at++) {
      if ("([{".includes(text[at])) depth++;
      if (")]}".includes(text[at]) && depth-- === 0) break;
      if (text[at] === "," && depth === 0) list.push("");
      else list[list.length - 1] += text[at];
    }
    const parameters = list.map((one) => one.trim())
      .filter((one) => PARAMETER.test(one));
    return { name, parameters };
  }).filter(({ parameters }) => parameters.some((one) => TYPED.test(one)));
}

// They run for every number, row or page view: an object for each call costs.
const HOT = [
  "./db/duckdb/compare.ts commonDays",
  "./db/duckdb/compare.ts sliceOf",
  "./db/intake/csv_scanner.ts #note",
  "./db/intake/csv_scanner.ts isEmptyRow",
  "./db/intake/csv_scanner.ts startsEmptyRow",
  "./db/intake/row_numbers.ts #addGap",
  "./db/serving/serving_index.ts lowerBound",
  "./routes/query_string.ts add",
];

Deno.test("at most two parameters have positions, others have names", () => {
  const positional = code
    .filter(({ path }) => !/^\.\/tests\/(?!support\/)/.test(path))
    .flatMap(({ path, text }) =>
      parameterLists(text).filter(({ parameters }) => {
        const last = parameters[parameters.length - 1];
        const options = /^(\{|options\b|preconditions\b)/.test(last) ? 1 : 0;
        return parameters.length - options > 2;
      }).map(({ name }) => `${path} ${name}`)
    );
  assertEquals(
    positional.sort(),
    HOT,
    "after two parameters, take the others as one object",
  );
});

Deno.test("only two places print, where a full disk ends nothing", () => {
  assertEquals(
    product.filter(({ text }) => /\bconsole\.log\b/.test(text))
      .map(({ path }) => path).sort(),
    ["./operator/log.ts", "./operator/terminal.ts"],
    "use print of operator/terminal.ts",
  );
});

Deno.test("names are snake_case and say more than a kind of code", () => {
  for (const { path } of code) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    assert(
      /^[a-z0-9_]+\.tsx?$/.test(name),
      `${path}: name files in snake_case`,
    );
    assert(
      !/^(utils?|helpers?|index|types|common|mod)\.tsx?$/.test(name),
      `${path}: name it after what it exports`,
    );
  }
});

Deno.test("SQL files have their header, 80 columns and lower-case keywords", async () => {
  const statements = await sources("./sql/", ".sql");
  assert(statements.length > 20);
  for (const { path, text } of statements) {
    assert(
      /^-- name: .+\n(-- {3}.+\n)*-- params: .+\n/.test(text),
      `${path}: begin with -- name: one sentence. and -- params: a, b`,
    );
    for (const line of text.split("\n")) {
      assert(line.length <= 80, `${path}: over 80 columns: ${line}`);
    }
    const keyword =
      /\b(SELECT|FROM|WHERE|JOIN|AND|OR|CREATE|TABLE|ORDER|GROUP|CASE)\b/.exec(
        text.replaceAll(/--.*|'[^']*'/g, ""),
      );
    assertEquals(
      keyword?.[0],
      undefined,
      `${path}: write keywords in lower case`,
    );

    const named = new Set(
      Array.from(
        text.replaceAll(/--.*/g, "").matchAll(/\$(\w+)/g),
        ([, name]) => name,
      ),
    );
    // A long list goes on in lines that begin as those of a long sentence do.
    const told = /^-- params: (.+(?:\n-- {3}.+)*)$/m.exec(text)![1]
      .split(";")[0].split(/,\s+(?:-- {3})?/);
    assertEquals(
      [...named].sort(),
      told.filter((name) => name !== "none").sort(),
      `${path}: name its params in the second line`,
    );
  }
});

Deno.test("every SQL file is run by the code", async () => {
  const text = product.map((file) => file.text).join("\n");
  for (const { path } of await sources("./sql/", ".sql")) {
    const name = path.slice("./sql/".length, -".sql".length);
    const by_table = name.startsWith("load/1_stage/stage_");
    assert(
      by_table || text.includes(`"${name}"`),
      `${path}: nothing runs it, remove it`,
    );
  }
});
