/** Strings that do harm where text is taken for code: as every parameter, and as names in the exports. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { dataFolder, namesIn } from "../support/data_folder.ts";
import { countOf, hostileExports } from "../support/hostile_exports.ts";
import { keyFile } from "../support/keys.ts";
import { openApp } from "../support/open_app.ts";
import { exportsOf } from "../support/watched_store.ts";
import { attackStrings, CONTROL_STRINGS } from "./attack_strings.ts";

const { file: key_file, keys } = keyFile({ admin: { scopes: ["admin"] } });
const headers = { Authorization: `Bearer ${keys.admin}` };
const SETTINGS = {
  DUCKDB_THREADS: "1",
  MAX_CHANNELS: "1000",
};
/** Not what the parameter takes, or not there. */
const HONEST = [400, 404, 410];

interface Parameter {
  readonly method: string;
  readonly path: string;
  readonly name: string;
  readonly in: "path" | "query" | "body";
}

/** Every parameter of every endpoint, those of JSON bodies too. */
function parametersOf(
  { paths }: {
    // deno-lint-ignore no-explicit-any
    readonly paths: Readonly<Record<string, Record<string, any>>>;
  },
): Parameter[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(
      ([method, { parameters, requestBody }]) => {
        const body = requestBody?.content["application/json"]?.schema
          .properties;
        const fields = Object.keys(body ?? {})
          .map((name) => ({ name, in: "body" }));
        return [...parameters, ...fields].map((one) => ({
          method: method.toUpperCase(),
          path,
          name: one.name,
          in: one.in,
        }));
      },
    )
  );
}

/** The request that gives `text` for a parameter, and 1 for others of the path. */
function requestWith(
  text: string,
  { method, path, name, in: place }: Parameter,
): [target: string, init: RequestInit] {
  const encoded = encodeURIComponent(text);
  const target = path.replaceAll(
    /\{(\w+)\}/g,
    (_, one) => place === "path" && one === name ? encoded : "1",
  );
  return [
    place === "query" ? `${target}?${name}=${encoded}` : target,
    {
      method,
      headers: { ...headers, "Content-Type": "application/json" },
      ...place === "body" && { body: JSON.stringify({ [name]: text }) },
      ...method === "PUT" && { body: "Customer_Id\n1\n" },
    },
  ];
}

Deno.test("attacks as parameters: an honest answer in JSON, and nothing is run", async (t) => {
  await using watched = await dataFolder();
  await using opened = await openApp(exportsOf(3), SETTINGS, { key_file });
  const { app } = opened;
  const ask = async (path: string) =>
    await (await app.request(path, { headers })).text();
  const before = await ask("/api/v1/dimensions");
  const strings = [...attackStrings(watched.path), ...CONTROL_STRINGS];
  assert(strings.length > 100);
  const parameters = parametersOf(JSON.parse(await ask("/openapi.json")));
  assert(parameters.length > 80);
  for (const parameter of parameters) {
    const { method, path, name } = parameter;
    await t.step(`${method} ${path} ${name}`, async () => {
      for (const text of strings) {
        const [target, init] = requestWith(text, parameter);
        const answer = await app.request(target, init);
        const { status, headers } = answer;
        const body = await answer.text();
        const what = `${JSON.stringify(text)}: ${status} ${body}`;
        assertEquals(headers.get("Content-Type"), "application/json", what);
        assertEquals(headers.get("Set-Cookie"), null, what);
        assert(!body.includes("root:x:"), what);
        const { data, meta: _, ...failure } = JSON.parse(body);
        if (status === 200) {
          // Nobody begins with it.
          assertEquals(name, "q", what);
          assertEquals(data, [], what);
        } else {
          assert(HONEST.includes(status), what);
          const [member] = Object.keys(failure);
          assertEquals(failure, { [member]: failure[member] }, what);
          assertMatch(member, /^(error|message)$/, what);
        }
      }
    });
  }
  assertEquals(await ask("/api/v1/dimensions"), before);
  assertEquals(await namesIn(watched.path), []);
  assertEquals(opened.logged, []);
});

Deno.test("attacks as names in the exports: counted under exactly these names", async (t) => {
  await using watched = await dataFolder();
  const names = attackStrings(watched.path);
  await using opened = await openApp(hostileExports(names), SETTINGS);
  const ask = async (path: string) => {
    const answer = await opened.app.request(path);
    assertEquals(answer.status, 200, path);
    return await answer.json();
  };
  const positions = names.map((_, i) => i);
  const total = positions.reduce((sum, i) => sum + countOf(i), 0);
  const listed = (name: string) => `"${name.replaceAll('"', '""')}"`;

  await t.step("the rows of the tables", async () => {
    for (
      const [table, rows] of [
        ["customers", names.length],
        ["interactions", total],
        ["products", names.length],
      ]
    ) assertEquals((await ask(`/api/v1/stats/${table}`)).rows, rows);
  });
  await t.step("each name with its counts", async () => {
    const { data } = await ask("/api/v1/dimensions");
    const expected = new Map(names.map((name, i) => [name, countOf(i)]));
    for (const list of ["channels", "topics", "types", "occupations"]) {
      const counts: { name: string; interactions: number }[] = data[list];
      assertEquals(
        new Map(counts.map((one) => [one.name, one.interactions])),
        expected,
      );
    }
  });
  await t.step("every customer by every channel", async () => {
    const { data } = await ask("/api/v1/interactions?limit=1000");
    assertEquals(data.length, names.length);
    for (const [i, row] of data.entries()) {
      assertEquals([row.occupation, row.type], [names[i], names[i]]);
      const counts = new Map(Object.entries(row.interactions));
      assertEquals(counts.size, names.length);
      for (const [j, name] of names.entries()) {
        assertEquals(counts.get(name), i === j ? countOf(i) : 0, name);
      }
    }
  });
  await t.step(
    "each name as a filter, and as the beginning of one",
    async () => {
      for (const [i, name] of names.entries()) {
        const encoded = encodeURIComponent(name);
        const page = await ask(
          `/api/v1/interactions/${i + 1}?topic=${encoded}`,
        );
        const counts = new Map(Object.entries(page.data.interactions));
        assertEquals(counts.get(name), countOf(i), name);
        // As a list it may be too long for a URL.
        const list = encodeURIComponent(listed(name));
        if (list.length < 800) {
          const { meta } = await ask(
            `/api/v1/metrics/interactions?channel=${list}&type=${list}`,
          );
          assertEquals(meta.interactions, countOf(i), name);
        }
        const begins = await ask(`/api/v1/customers?q=${encoded}`);
        const ids: number[] = begins.data.map((one: { customer_id: number }) =>
          one.customer_id
        );
        // No character of it stands for others.
        assert(ids.includes(i + 1) && ids.length < names.length / 5, name);
      }
    },
  );
  assertEquals(await namesIn(watched.path), []);
  assertEquals(opened.logged, []);
});
