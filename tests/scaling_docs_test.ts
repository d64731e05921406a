/** docs/scaling.md has the tables and columns that a load makes in ClickHouse, and the figures of docs/benchmarks.md. */

import { assert, assertEquals } from "@std/assert";
import { tableStatements } from "../db/clickhouse/schema.ts";
import { NAMED_DIMENSIONS } from "../db/model/dimensions.ts";
import { readSql } from "../db/read_sql.ts";

const read = (path: string) =>
  Deno.readTextFile(new URL(`../${path}`, import.meta.url));
const scaling = await read("docs/scaling.md");

/** The names between backticks of a cell. */
const namesOf = (cell: string) =>
  Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name);

Deno.test("its tables have the columns that a load makes", async () => {
  const [, section] = scaling.split("\n## Tables\n");
  const told = section.split("\n\n").find((block) => block.startsWith("|"))!
    .split("\n").slice(2)
    .map((line) => line.split("|"))
    .map(([, table, columns]) => [
      ...namesOf(table),
      ...namesOf(columns).sort(),
    ]);
  const statements = tableStatements(
    await readSql("clickhouse/version_tables"),
    {
      place: { database: "tally", cluster: null },
      dimensions: NAMED_DIMENSIONS,
    },
  );
  const made = statements.map((statement) => {
    const [, table] = /^create table `tally`\.(\w+)/.exec(statement)!;
    const columns = Array.from(
      statement.matchAll(/^ {2}(\w+) [A-Z]/gm),
      ([, column]) => column,
    );
    return [table, ...columns.sort()];
  });
  assert(made.length > 5);
  assertEquals(told.sort(), made.sort());
});
