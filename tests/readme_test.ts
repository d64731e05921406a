/** The README and docs say what there is: every route, setting, command and file, and no others. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readConfig, settings } from "../config.ts";
import { TABLES } from "../db/model/contract.ts";
import { endpoints } from "../routes/app.ts";
import type { Endpoint } from "../routes/endpoint.ts";
import { openApp } from "./support/open_app.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const readme = await read("README.md");
const { tasks } = JSON.parse(await read("deno.json"));

function section(text: string, title: string): string {
  const start = text.indexOf(`\n## ${title}\n`);
  assert(start >= 0, `no section ${title}`);
  const end = text.indexOf("\n## ", start + 1);
  return text.slice(start, end < 0 ? undefined : end);
}

function tableOf(text: string): string[][] {
  return text.split("\n").filter((line) => line.startsWith("|")).slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("the endpoints are those of the application", () => {
  const told = tableOf(section(readme, "Endpoints"))
    .map(([endpoint]) => endpoint.replaceAll("`", ""));
  const there = (endpoints as readonly Endpoint[]).map(({ method, path }) =>
    `${(method ?? "get").toUpperCase()} ${path.replaceAll(/:(\w+)/g, "{$1}")}`
  );
  assertEquals(told.sort(), [...there, "GET /openapi.json"].sort());
});

Deno.test("the settings are those of config.ts, word for word", () => {
  const defaults = readConfig({});
  const machine = new Set(["DUCKDB_THREADS"]);
  const told = tableOf(section(readme, "Settings"));
  const there = Object.entries(settings.shape).map(
    ([name, { description }]) => {
      const value = defaults[name as keyof typeof defaults];
      const fallback = value === undefined || machine.has(name)
        ? ""
        : `\`${value}\``;
      return [`\`${name}\``, fallback, description];
    },
  );
  assertEquals(told, there);
});

Deno.test("the commands are tasks, and every task is named", async () => {
  const docs = await Promise.all(
    ["api", "file-contract", "report", "decisions", "benchmarks"].map((name) =>
      read(`docs/${name}.md`)
    ),
  );
  const told = new Set(
    Array.from(
      [readme, ...docs].join("\n").matchAll(
        /(?:deno|deno@[\d.]+) task ([\w-]+)/g,
      ),
      ([, name]) => name,
    ),
  );
  assertEquals([...told].sort(), Object.keys(tasks).sort());
});

Deno.test("the code map has every folder and file at the top", async () => {
  const told = tableOf(section(readme, "Code map"))
    .map(([where]) => where.replaceAll("`", "").split("/")[0]);
  const hidden = [
    "deno.json",
    "deno.lock",
    "Dockerfile",
    "compose.yaml",
    "README.md",
    "node_modules",
  ];
  for await (const { name } of Deno.readDir(ROOT)) {
    if (name.startsWith(".") || hidden.includes(name)) continue;
    assert(told.includes(name), `the code map lacks ${name}`);
  }
  for (const [where] of tableOf(section(readme, "Code map"))) {
    await Deno.stat(new URL(where.replaceAll("`", ""), ROOT));
  }
});

Deno.test("links lead somewhere", async () => {
  for (const [, target] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
    await Deno.stat(new URL(target, ROOT));
  }
});

Deno.test("the example is answered as it says, from the sample", async () => {
  const [, path, answer] =
    /curl http:\/\/localhost:8000(\S+)\n```\n\n```text\n(.+)\n```/.exec(
      readme,
    )!;
  await using opened = await openApp(new URL("data", ROOT).pathname);
  assertEquals(await (await opened.app.request(path)).text(), answer);
  const { report } = opened.snapshot;
  const set_aside = report.files.reduce(
    (sum, file) => sum + file.rows_set_aside,
    0,
  );
  assertEquals(set_aside, 5);
  assertStringIncludes(
    readme.replaceAll("\n", " "),
    `${report.customers} customers, ${report.interactions} interactions, and five rows`,
  );
});

Deno.test("the file contract has every file name and column of the code", async () => {
  const contract = await read("docs/file-contract.md");
  const told = tableOf(section(contract, "Columns"));
  let table = "";
  const columns = told.map(([name, column, aliases, required]) => {
    table = name || table;
    const headers = [column, ...aliases.split(",")].map((one) =>
      one.trim().replaceAll("`", "")
    );
    return {
      table,
      headers: headers.filter(Boolean),
      required: required === "yes",
    };
  });
  const there = Object.entries(TABLES).flatMap(([table, { columns }]) =>
    columns.map(({ headers, required }) => ({
      table,
      headers: [...headers],
      required,
    }))
  );
  const key = (one: unknown) => JSON.stringify(one);
  assertEquals(columns.map(key).sort(), there.map(key).sort());

  const files = tableOf(section(contract, "Files")).map((
    [name, stems, required],
  ) => ({
    name,
    stems: stems.replaceAll(/[`_ ]/g, "").split(","),
    required: required === "yes",
  }));
  assertEquals(
    files.map(key).sort(),
    Object.entries(TABLES).map(([name, { stems, required }]) =>
      key({ name, stems, required })
    ).sort(),
  );
});
