/** `explain=1`: its SQL, run by another DuckDB on a version that STATE_DIR keeps, gives the answer. */

import { DuckDBInstance } from "@duckdb/node-api";
import { assert, assertEquals } from "@std/assert";
import {
  csv,
  dataFolder,
  type Files,
  namesIn,
} from "../../support/data_folder.ts";
import { openApp } from "../../support/open_app.ts";
import { nastyFiles } from "../../support/text_ids.ts";

const NAME = 'Ann\'s $1 -- drop \\ "x"';
const FILES = {
  "customers.csv": csv(
    ["id", "Occupation", "Type"],
    ["1", NAME, "Red"],
    ["2", "Baker", "Blue"],
    ["3", "", ""],
  ),
  "interactions.csv": csv(
    ["Date Start", "Interaction", "Customers", "Topic"],
    ["2020-01-31", "Call", "1;2", ""],
    ["2020-02-01", NAME, "1", NAME],
    ["2020-03-05", "Call", "1", "Sand;Salt"],
    ["2020-03-06", "Mail", "4", "Salt"],
  ),
};

type Json = Record<string, unknown>;

/** The numbers in an answer, sorted: those of its rows, without the names. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number" || typeof value === "bigint") {
    return [Number(value)];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(numbersIn).sort((a, b) => a - b);
}

/** Without the members that add up others, which the SQL leaves to Tally. */
function withoutTotal(row: Json): Json {
  const { total: _, ...rest } = row;
  return rest;
}

/** An answer, and what another DuckDB makes of the SQL that explains it. */
interface Explained {
  /** The rows of the answer, or its only one. */
  readonly told: Json[];
  readonly rows: Json[];
}

/** Compares each path's answer with its SQL, which runs on the version that a server of `files` keeps. */
async function compareEach(
  t: Deno.TestContext,
  { files, paths, compare }: {
    readonly files: Files;
    readonly paths: readonly string[];
    readonly compare: (explained: Explained) => void;
  },
): Promise<void> {
  await using state = await dataFolder();
  await using opened = await openApp(files, { STATE_DIR: state.path });
  const [kept] = await namesIn(state.path);

  const instance = await DuckDBInstance.create(":memory:");
  const shell = await instance.connect();
  try {
    await shell.run(`import database '${state.path}/${kept}'`);
    for (const path of paths) {
      await t.step(path, async () => {
        const answer = await opened.app.request(
          `${path}${path.includes("?") ? "&" : "?"}explain=1`,
        );
        assertEquals(answer.status, 200, await answer.clone().text());
        const { data, meta } = await answer.json();
        const [{ text }, ...others] = meta.explain.sql;
        assertEquals(others, []);
        const rows = (await shell.runAndReadAll(text)).getRowObjectsJson();
        compare({ told: [data].flat(), rows });
      });
    }
  } finally {
    shell.closeSync();
    instance.closeSync();
  }
}

Deno.test("the SQL of an explanation runs in another DuckDB, and gives the answer", async (t) => {
  const name = encodeURIComponent(`"${NAME.replaceAll('"', '""')}"`);
  await compareEach(t, {
    files: FILES,
    paths: [
      "/api/v1/interactions/1",
      `/api/v1/interactions/1?topic=${name},null&end_date=2020-02-01`,
      "/api/v1/interactions/1/timeline?interval=week",
      "/api/v1/interactions/1/timeline?start_date=2020-01-01&topic=sand",
      `/api/v1/interactions/1/topics?start_date=2020-01-01`,
      "/api/v1/interactions",
      `/api/v1/interactions?occupation=${name},null&sort=-total`,
      "/api/v1/interactions?customer_id=1,4&end_date=2020-03-05&sort=Call",
      "/api/v1/metrics/interactions",
      `/api/v1/metrics/interactions?by=month,type&occupation=${name}`,
      "/api/v1/metrics/interactions?by=week&type=null,red",
      "/api/v1/metrics/interactions?by=channel&start_date=2020-02-01&end_date=2020-02-29&compare=previous_period",
      "/api/v1/metrics/customers?by=type,occupation&type=Red,null",
      "/api/v1/metrics/customers?by=month,type&type=null,red",
      "/api/v1/metrics/customers?by=channel&start_date=2020-02-01&end_date=2020-02-29&compare=previous_period",
      "/api/v1/customers?q=b",
      "/api/v1/customers/4",
    ],
    compare: ({ told, rows }) => {
      assertEquals(rows.length, told.length);
      assert(rows.length > 0);
      assertEquals(
        rows.map((row) => numbersIn(toNumbers(row))),
        told.map((row) => numbersIn(withoutTotal(row))),
      );
    },
  });
});

Deno.test("of customers called by texts, the SQL gives the rows of the answer, with ids and names", async (t) => {
  const id = encodeURIComponent("'; drop table ids; --");
  const called = (row: Json) => [row.customer_id, row.name];
  await compareEach(t, {
    files: nastyFiles(),
    paths: [
      `/api/v1/interactions/${id}`,
      `/api/v1/customers/${id}`,
      "/api/v1/customers?q=Änne&limit=100",
      "/api/v1/customers?q=b",
      "/api/v1/interactions?sort=-total",
      "/api/v1/interactions?sort=-customer_id&channel=Call",
      `/api/v1/interactions?customer_id=${id},7,x,y&end_date=2020-03-05`,
      "/api/v1/metrics/interactions?by=customer_id",
      "/api/v1/metrics/interactions?by=customer_id,type&pivot=channel",
      "/api/v1/metrics/customers?by=topic,channel",
    ],
    compare: ({ told, rows }) =>
      assertEquals(rows.map(called), told.map(called)),
  });
});

/** Counts of 64 bits are texts in the shell's JSON. */
function toNumbers(row: Json): Json {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value,
    ]),
  );
}
