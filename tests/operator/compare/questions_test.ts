/** Random questions of a comparison: a seed repeats them, and they reach all that is answered from data. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe } from "../../../operator/compare/catalogue.ts";
import { askJson } from "../../../operator/compare/deployment.ts";
import {
  ASKED_PATHS,
  QUESTION_KINDS,
  questionsOf,
} from "../../../operator/compare/questions.ts";
import { csv, dataFolder } from "../../support/data_folder.ts";
import { startServer, waitFor } from "../../support/start_server.ts";

/** What is about one process, its files or its refreshes, and not about the data that it serves. */
const NOT_OF_THE_DATA = [
  "/api/v1/data/events",
  "/api/v1/data/files",
  "/api/v1/data/history",
  "/healthz",
  "/readyz",
];

const FILES = {
  "tally.toml": `[customers]
files = "customers.csv"
id = { column = "Id", kind = "text" }
name = "Name"
attributes = { country = "Country" }

[interactions]
files = "interactions.csv"
customer = "Who"
time = "When"
channel = "Kind"
`,
  "customers.csv": csv(
    ["Id", "Name", "Country"],
    ["a/b", "Marie Curie", "Chile"],
    ["7", "Ann", ""],
  ),
  "interactions.csv": csv(
    ["When", "Kind", "Who"],
    ["2020-01-31", "it's a call", "7"],
    ["2020-02-30", "Mail", "7"],
  ),
};

await using folder = await dataFolder(FILES);
await using server = await startServer({
  DATA_DIR: folder.path,
  LOG_REQUESTS: "off",
});
await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
const deployment = { url: server.base_url };
const { catalogue } = await describe(deployment);
const document = await askJson(deployment, "/openapi.json");
const questions = [...questionsOf(catalogue, { seed: 1, count: 10_000 })];

Deno.test("the catalogue is what the server has", () => {
  const { operations, dimensions, ...rest } = catalogue;
  assertEquals(rest, {
    names: {
      channel: ["it's a call"],
      topic: [null],
      type: [null],
      occupation: [null],
      country: ["Chile", null],
    },
    customer_ids: ["7", "a/b"],
    date_range: { first: "2020-01-31", last: "2020-01-31" },
    customers: 2,
    texts: ["7", "Ann", "a/b", "Marie Curie"],
    files: ["customers.csv", "interactions.csv"],
  });
  assert(operations["/api/v1/customers"].includes("country"));
  assert(dimensions.some(({ name }) => name === "country"));
});

Deno.test("the same seed asks the same, another one does not", () => {
  const of = (seed: number) => [...questionsOf(catalogue, { seed, count: 50 })];
  assertEquals(of(1), questions.slice(0, 50));
  assertNotEquals(of(2), questions.slice(0, 50));
});

Deno.test("every kind, every path of the data and every parameter is asked", () => {
  assertEquals(
    QUESTION_KINDS.filter((kind) =>
      !questions.some((one) => one.kind === kind)
    ),
    [],
  );
  const read = Object.keys(document.paths)
    .filter((path) => document.paths[path].get);
  assertEquals([...ASKED_PATHS, ...NOT_OF_THE_DATA].sort(), read.sort());

  for (const path of ASKED_PATHS) {
    const pattern = RegExp(`^${path.replace(/\{\w+\}/, "[^/]*")}(\\?|$)`);
    const asked = questions.map((one) => one.path)
      .filter((one) => pattern.test(one))
      .map((one) => new URLSearchParams(one.split("?")[1]));
    assert(asked.length > 0, `nobody asks ${path}`);
    for (const name of catalogue.operations[path]) {
      // Cursors come from the answers.
      if (name === "cursor") continue;
      assert(asked.some((one) => one.has(name)), `${path} without ${name}`);
    }
  }
  assert(questions.some(({ pages }) => pages > 1));
});

Deno.test("a path and a parameter that one server lacks are not asked", () => {
  const lacking = {
    ...catalogue,
    operations: { "/api/v1/interactions": ["limit"] },
  };
  const asked = [...questionsOf(lacking, { seed: 1, count: 300 })];
  assertEquals(asked.length, 300);
  for (const { path } of asked) {
    const [, query = ""] = /^\/api\/v1\/interactions(?:\?(.*))?$/.exec(path)!;
    // The last is the mistake of a question that is made wrong.
    for (const name of new URLSearchParams(query).keys()) {
      assert(["limit", "start-date"].includes(name), path);
    }
  }
  const nothing = { ...catalogue, operations: {} };
  assertEquals([...questionsOf(nothing, { seed: 1, count: 3 })], []);
});

Deno.test("a catalogue of no data makes questions too", () => {
  const empty = {
    ...catalogue,
    names: {},
    customer_ids: [],
    date_range: null,
    customers: 0,
    texts: [],
    files: [],
  };
  assertEquals([...questionsOf(empty, { seed: 1, count: 500 })].length, 500);
});
