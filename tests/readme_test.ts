/** The README and docs name every route, setting, command and file of the project, and no others. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { readConfig, settings } from "../config.ts";
import { TABLES } from "../db/model/contract.ts";
import { endpoints } from "../routes/app.ts";
import type { Endpoint } from "../routes/endpoint.ts";
import { openApp } from "./support/open_app.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const readme = await read("README.md");
const api = await read("docs/api.md");
const { tasks } = JSON.parse(await read("deno.json"));

function section(text: string, title: string): string {
  const [heading, level] = RegExp(`\n(##+) ${title}\n`).exec(text) ?? [""];
  assert(heading, `no section ${title}`);
  const [, rest] = text.split(heading);
  // Until the next heading that is not below this one.
  const end = rest.search(RegExp(`^#{2,${level.length}} `, "m"));
  return heading + rest.slice(0, end < 0 ? undefined : end);
}

/** The rows of every table in `text`, without the heads. */
function tableOf(text: string): string[][] {
  return text.split("\n\n").filter((block) => block.startsWith("|"))
    .flatMap((block) => block.trim().split("\n").slice(2))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** The README and every document, without the changelog, which names what is gone. */
async function documents(): Promise<string> {
  const paths = ["README.md", "CONTRIBUTING.md"];
  for (const folder of ["docs", "docs/exports"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.endsWith(".md")) paths.push(`${folder}/${name}`);
    }
  }
  return (await Promise.all(paths.map(read))).join("\n");
}

const served = [
  ...(endpoints as readonly Endpoint[]).map(({ method, path }) =>
    `${(method ?? "get").toUpperCase()} ${path.replaceAll(/:(\w+)/g, "{$1}")}`
  ),
  "GET /openapi.json",
];

Deno.test("the endpoints are those of the application", () => {
  const told = tableOf(section(api, "Endpoints"))
    .map(([endpoint]) => endpoint.replaceAll("`", ""));
  assertEquals(told.sort(), served.toSorted());
});

Deno.test("every path of the API that a document names is served, by its method", async () => {
  const paths = served.map((one) => one.split(" ")[1]);
  const patterns = served.map((one) =>
    new RegExp(`^${one.replaceAll(/\{\w+\}/g, "[^/]+")}$`)
  );
  const told = Array.from(
    (await documents()).matchAll(
      /(?:\b(GET|POST|PUT|DELETE) )?(\/(?:api\/v\d+|healthz|readyz)[\w/{}.-]*)(…?)/g,
    ),
  );
  assert(told.length > 50);
  for (const [text, method, path, more] of told) {
    const whole = path.replace(/[./]+$/, "");
    const is_served = more || whole === "/api/v1"
      ? paths.some((one) => one.startsWith(path))
      : patterns.some((pattern) =>
        (method ? [method] : ["GET", "PUT", "POST"]).some((method) =>
          pattern.test(`${method} ${whole}`)
        )
      );
    assert(is_served, `a document names ${text}, which is not served`);
  }
});

/** The row of the settings' table for each setting. */
const setting_rows = Object.entries(settings.shape).map(
  ([name, { description }]) => {
    const value = readConfig({})[name as keyof typeof settings.shape];
    // As many as this machine has cores; a password is empty.
    const fallback = value === undefined || value === "" ||
        name === "DUCKDB_THREADS" || name === "QUERY_CONCURRENCY"
      ? ""
      : `\`${value}\``;
    return [`\`${name}\``, fallback, description!];
  },
);

Deno.test("the settings are those of config.ts, word for word", async () => {
  assertEquals(tableOf(await read("docs/settings.md")), setting_rows);
});

Deno.test("the README has ten of the settings, word for word", () => {
  const told = tableOf(section(readme, "Settings"));
  assertEquals(told.length, 10);
  assertEquals(
    told,
    setting_rows.filter(([name]) => told.some(([one]) => one === name)),
  );
});

Deno.test("every setting that a document names exists", async () => {
  // A convention of terminals, a variable of a shell, constants of the code, an
  // error of Excel; and those that Deno reads.
  const others = new Set([
    "NO_COLOR",
    "ADMIN_KEY",
    "RULES_VERSION",
    "NAMED_DIMENSIONS",
    "TIME_DIMENSIONS",
    "GETTING_DATA",
    "OTEL_DENO",
    "OTEL_DENO_CONSOLE",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_SERVICE_NAME",
  ]);
  const told = (await documents()).matchAll(
    /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g,
  );
  for (const [name] of told) {
    assert(
      name in settings.shape || others.has(name),
      `a document names the setting ${name}, which config.ts has not`,
    );
  }
});

Deno.test("the commands are tasks, and every task is named", async () => {
  const told = new Set(
    Array.from(
      (await documents()).matchAll(
        /(?:deno|deno@[\d.]+) task ([\w-]+(?::\w+)?)/g,
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
    // What `deno task client` writes.
    "client",
  ];
  const documents = section(readme, "Documents");
  for await (const { name } of Deno.readDir(ROOT)) {
    if (name.startsWith(".") || hidden.includes(name)) continue;
    assert(
      told.includes(name) || documents.includes(`](${name})`),
      `the README lacks ${name}: add it to the code map or the documents`,
    );
  }
  for (const [where] of tableOf(section(readme, "Code map"))) {
    await Deno.stat(new URL(where.replaceAll("`", ""), ROOT));
  }
});

Deno.test("the README lists every document", async () => {
  const documents = section(readme, "Documents");
  for await (const { name, isFile } of Deno.readDir(new URL("docs", ROOT))) {
    assert(
      documents.includes(`](docs/${name}${isFile ? ")" : "/"}`),
      `the README's documents lack docs/${name}`,
    );
  }
});

Deno.test("the README's figures are those of the benchmarks", async () => {
  const figures = Array.from(
    section(readme, "Why Tally").matchAll(
      /(\d[\d,.]*)\s+requests\s+per\s+second/g,
    ),
    ([, figure]) => figure.replaceAll(",", ""),
  );
  assert(figures.length > 0);
  const benchmarks = (await read("docs/benchmarks.md")).replaceAll(
    /(\d),(?=\d)/g,
    "$1",
  );
  for (const figure of figures) {
    assertMatch(benchmarks, new RegExp(`\\b${figure}\\b`));
  }
});

Deno.test("the README's questions are answered with the sample", async () => {
  await using opened = await openApp(new URL("data", ROOT).pathname);
  const paths = tableOf(section(readme, "Questions it answers"))
    .map(([, path]) => path.replaceAll("`", ""));
  assert(paths.length > 3);
  for (const path of paths) {
    const answer = await opened.app.request(path);
    assertEquals(answer.status, 200, path);
    await answer.body?.cancel();
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
