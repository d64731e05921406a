/** The statements that make tables in ClickHouse, on one server and on a cluster. */

import { assert, assertEquals } from "@std/assert";
import {
  quoteName,
  quoteText,
  tableStatements,
} from "../../../db/clickhouse/schema.ts";
import { qualified } from "../../../db/clickhouse/questions.ts";
import { readSql } from "../../../db/read_sql.ts";
import { dimensionsWith } from "../../../db/model/dimensions.ts";

const SQL = `-- name: tables.
create table names (
  code UInt32
) engine = MergeTree order by code;

create table customers (
  customer_id UInt64,
  /*each {column} UInt32,*/
  day Date32
) engine = MergeTree order by customer_id
settings index_granularity = 256;

create table if not exists loaders (
  holder String
) engine = ReplacingMergeTree(at) order by holder;
`;

Deno.test("tableStatements, one server: the tables as they are written, in their database", () => {
  assertEquals(
    tableStatements(SQL, {
      place: { database: "v1", cluster: null },
      dimensions: dimensionsWith(["country"]),
    }),
    [
      "create table `v1`.names (\n  code UInt32\n) engine = MergeTree order by code",
      `create table \`v1\`.customers (
  customer_id UInt64,
  type UInt32,
  occupation UInt32,
  attribute_country_ UInt32,
  day Date32
) engine = MergeTree order by customer_id
settings index_granularity = 256`,
      "create table if not exists `v1`.loaders (\n  holder String\n) engine = ReplacingMergeTree(at) order by holder",
    ],
  );
});

Deno.test("tableStatements, a version: no two columns have one name, whatever attributes are called", async () => {
  const statements = tableStatements(
    await readSql("clickhouse/version_tables"),
    {
      place: { database: "v1", cluster: null },
      dimensions: dimensionsWith(["a", "a_name", "rows"]),
    },
  );
  for (const statement of statements) {
    const columns = [...statement.matchAll(/^ +([a-z_]+) [A-Z]/gm)]
      .map(([, column]) => column);
    assertEquals([...new Set(columns)], columns, statement);
  }
  assert(statements.some((one) => one.includes("attribute_a_ ")));
});

Deno.test("tableStatements, a cluster: replicated on every server, spread over the shards where there are many rows", () => {
  const [names, stored, spread, loaders] = tableStatements(SQL, {
    place: { database: "v1", cluster: "c" },
    dimensions: [],
  });
  assert(names.startsWith("create table `v1`.names on cluster 'c' ("), names);
  assert(
    names.includes(
      "engine = ReplicatedMergeTree('/tally/v1/names', '{shard}-{replica}') order by code",
    ),
    names,
  );
  assert(
    stored.startsWith("create table `v1`.customers_shard on cluster 'c' ("),
    stored,
  );
  assert(
    stored.includes(
      "engine = ReplicatedMergeTree('/tally/v1/customers/{shard}', '{replica}') order by customer_id\nsettings",
    ),
    stored,
  );
  assertEquals(
    spread,
    "create table `v1`.customers on cluster 'c' as `v1`.customers_shard\nengine = Distributed('c', 'v1', 'customers_shard', cityHash64(customer_id))",
  );
  assert(
    loaders.includes(
      "engine = ReplicatedReplacingMergeTree('/tally/v1/loaders', '{shard}-{replica}', at) order by holder",
    ),
    loaders,
  );
});

Deno.test("quoteName and quoteText: nothing in them ends them", () => {
  assertEquals(quoteName("a`b\\"), "`a\\`b\\\\`");
  assertEquals(quoteText("a'b\\"), "'a\\'b\\\\'");
});

Deno.test("qualified: the tables of a version, and nothing else of that name", () => {
  assertEquals(
    qualified(
      "select customers.names from customers as customers join kinds using (kind) where kind in (select kind from kinds)",
      "v1",
    ),
    "select customers.names from `v1`.customers as customers join `v1`.kinds using (kind) where kind in (select kind from `v1`.kinds)",
  );
});
