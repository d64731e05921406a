/** ClickHouse answers as DuckDB does: the same random questions to both, over HTTP, of data of every kind. */

// QUESTIONS is how many questions are asked of all data together, by default 500,
// and SEED which ones. EQUALITY names a file for the result, which a release has.

import { assertEquals } from "@std/assert";
import {
  compareDeployments,
  type Comparison,
} from "../../operator/compare/compare.ts";
import { createRandom } from "../../operator/compare/random.ts";
import {
  csv,
  type DataFolder,
  dataFolder,
  type Files,
} from "../../tests/support/data_folder.ts";
import {
  HOSTILE_NAMES,
  hostileExports,
} from "../../tests/support/hostile_exports.ts";
import { startServer, waitFor } from "../../tests/support/start_server.ts";
import { NASTY_IDS, nastyFiles } from "../../tests/support/text_ids.ts";
import { TYPICAL_EXPORTS } from "../../tests/support/typical_exports.ts";
import { suiteClickHouse } from "./start_clickhouse.ts";

const numberIn = (name: string, fallback: number) =>
  Number(Deno.env.get(name) ?? fallback);
const QUESTIONS = numberIn("QUESTIONS", 500);
const SEED = numberIn("SEED", 1);

const ROOT = new URL("../../", import.meta.url).pathname;

/** Days around the ends of years and of what data may have, where calendars err. */
const DAYS = [
  "1900-01-01",
  "1900-01-07",
  "1969-12-31",
  "1970-01-01",
  "2018-12-30",
  "2018-12-31",
  "2019-12-29",
  "2020-01-01",
  "2020-02-29",
  "2020-12-31",
  "2021-01-03",
  "2021-01-04",
  "2021-03-28",
  "2078-12-31",
];
const NAMES = [
  "Call",
  "E-mail",
  "email to",
  "Ärzte",
  "zebra",
  "Zebra 2",
  "😀",
  "\uff21",
  'O\'Neill \\ "q"',
  "null",
];

/** Attributes, text ids that differ in case, topics of rows and of months, and interactions of nobody who is known: people are found by their addresses. */
function mappedExports(seed: number): Files {
  const random = createRandom(seed);
  const ids = [...NASTY_IDS, "A", "B C", "Ä", "ä"];
  const some = (names: readonly string[]) =>
    random.chance(0.2) ? "" : random.pick(names);
  return {
    "tally.toml": `[customers]
files = "people.csv"
id = { column = "Id", kind = "text" }
name = "Name"
occupation = "Work"
type = "Kind"
attributes = { country = "Country", number = "Owner" }

[interactions]
files = "calls.csv"
customer = { column = "Who", match = "Mail", unmatched = "anonymous" }
time = "Day"
channel = "Channel"
topic = "Topic"

[products]
files = "products.csv"
date = "Month"
product = "Product"
`,
    "people.csv": csv(
      ["Id", "Mail", "Name", "Work", "Kind", "Country", "Owner"],
      ...ids.map((id, i) => [
        id,
        `person${i}@example.com`,
        some(["Ann Lee-Moss", "ÅSA", "O'Neill", "安 娜"]),
        some(NAMES),
        some(["Red", "blue", "GREEN"]),
        some(NAMES),
        some(["7", "10", "9"]),
      ]),
    ),
    "calls.csv": csv(
      ["Day", "Channel", "Who", "Topic"],
      ...Array.from({ length: 3_000 }, () => [
        random.pick(DAYS),
        random.pick(NAMES),
        `person${random.below(ids.length + 4)}@example.com`,
        some(NAMES),
      ]),
    ),
    "products.csv": csv(
      ["Month", "Product"],
      ...["1900-01", "2018-12", "2020-01", "2021-01"].flatMap((month) =>
        random.some(NAMES, 4).map((name) => [month, name])
      ),
    ),
  };
}

/** Whole numbers for ids, up to the largest one, and several customers in a row. */
function plainExports(seed: number): Files {
  const random = createRandom(seed);
  const ids = [
    ...Array.from({ length: 60 }, (_, i) => `${i + 1}`),
    "9007199254740991",
    "4294967296",
  ];
  return {
    "customers.csv": csv(
      ["Customer_Id", "Occupation", "Type"],
      ...ids.slice(0, 50).map((id) => [
        id,
        random.pick(["Jedi", "jedi", "Sith", ""]),
        random.pick(["Red", "RED", "Blue", ""]),
      ]),
    ),
    "interactions.csv": csv(
      ["Date Start", "Interaction", "Customers"],
      ...Array.from({ length: 5_000 }, () => [
        `${random.pick(DAYS)} 1${random.below(10)}:00:00`,
        random.pick(NAMES),
        random.some(ids, 3).join("; "),
      ]),
    ),
    "products.csv": csv(
      ["Month", "Product"],
      ...["1900-01", "2018-12", "2020-01", "2021-01"].flatMap((month) =>
        random.some(NAMES, 4).map((name) => [month, name])
      ),
    ),
  };
}

const DATA: Readonly<Record<string, () => Promise<DataFolder> | string>> = {
  "the sample": () => `${ROOT}data`,
  "the golden seed": () => `${ROOT}tests/golden/seed`,
  "the golden dirty": () => `${ROOT}tests/golden/dirty`,
  "ids of any kind": () => dataFolder(nastyFiles()),
  "ids without names": () => dataFolder(nastyFiles(false)),
  "hostile names": () => dataFolder(hostileExports(HOSTILE_NAMES)),
  "attributes and nobody": () => dataFolder(mappedExports(SEED)),
  "whole numbers": () => dataFolder(plainExports(SEED)),
  "a header alone": () =>
    dataFolder({
      "customers.csv": "Customer_Id,Occupation,Type\n",
      "interactions.csv": "Date Start,Interaction,Customers\n",
    }),
  ...Object.fromEntries(
    TYPICAL_EXPORTS.slice(0, 2).map((one) => [
      one.page,
      () => dataFolder({ ...one.files, "tally.toml": one.mapping }),
    ]),
  ),
};

const results: { readonly data: string; readonly comparison: Comparison }[] =
  [];

Deno.test(`${QUESTIONS} random questions have the same answers from DuckDB and ClickHouse`, async (t) => {
  await using clickhouse = await suiteClickHouse();
  const each = Math.ceil(QUESTIONS / Object.keys(DATA).length);
  for (const [i, [name, make]] of Object.entries(DATA).entries()) {
    await t.step(name, async () => {
      const made = await make();
      await using folder = typeof made === "string" ? null : made;
      const settings = {
        DATA_DIR: folder?.path ?? made as string,
        CACHE_BYTES: "0",
        // A channel called null is no value.
        MAX_SET_ASIDE: "1",
        QUERY_TIMEOUT_MS: "30000",
      };
      await using reference = await startServer(settings);
      await using compared = await startServer({
        ...settings,
        STORE: "clickhouse",
        ROLE: "loader",
        CLICKHOUSE_URL: clickhouse.url,
        CLICKHOUSE_USER: clickhouse.user,
        CLICKHOUSE_PASSWORD: clickhouse.password,
        CLICKHOUSE_DATABASE: `conformance_${Deno.pid}_${i}`,
      });
      for (const { base_url } of [reference, compared]) {
        await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
      }
      const comparison = await compareDeployments({
        reference: { url: reference.base_url, key: undefined },
        compared: { url: compared.base_url, key: undefined },
      }, { seed: SEED + i, questions: each, found() {} });
      results.push({ data: name, comparison });
      assertEquals(comparison.differences, []);
      assertEquals(comparison.not_asked, []);
    });
  }
  const file = Deno.env.get("EQUALITY");
  if (file) await Deno.writeTextFile(file, equalityJson());
});

/** The result for a release: what was asked, of which versions, and what differed. */
function equalityJson(): string {
  const sum = (numbers: readonly number[]) =>
    numbers.reduce((total, one) => total + one, 0);
  return `${
    JSON.stringify(
      {
        at: new Date().toISOString(),
        seed: SEED,
        answers: sum(results.map(({ comparison }) => comparison.answers)),
        differences: sum(
          results.map(({ comparison }) => comparison.differences.length),
        ),
        data: results.map(({ data, comparison }) => ({
          data,
          seed: comparison.seed,
          data_version: comparison.versions.compared.data_version,
          answers: comparison.answers,
          statuses: comparison.statuses,
          kinds: Object.fromEntries(
            comparison.kinds.map(({ kind, answers }) => [kind, answers]),
          ),
          differences: comparison.differences.length,
        })),
      },
      null,
      2,
    )
  }\n`;
}
