/** Tests that values reach DuckDB and come back as its own library sends and reads them. */

import { assertEquals } from "@std/assert";
import {
  type DuckDBConnection,
  type DuckDBValue,
  listValue,
} from "@duckdb/node-api";
import {
  bindValues,
  createChunkReader,
} from "../../../db/duckdb/native_values.ts";
import { withEmptyDatabase } from "../../support/empty_database.ts";

/** Has `use` work on a connection to an empty database. */
function withConnection(
  use: (connection: DuckDBConnection) => Promise<void>,
): Promise<void> {
  return withEmptyDatabase(async (database) => {
    const connection = await database.connect();
    await use(connection);
    database.giveBack(connection);
  });
}

Deno.test("params have the value and the type that the library gives them", () =>
  withConnection(async (connection) => {
    const values: DuckDBValue[] = [
      0,
      -1,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      2 ** 53 - 1,
      0.5,
      2n ** 53n - 1n,
      -(2n ** 100n),
      "",
      "a 'quote', NUL \0 and 日本",
      true,
      null,
      listValue(["one", "two, three"]),
    ];
    for (const value of values) {
      const sql = "select $p::varchar as text, typeof($p) as type";
      const expected = await connection.runAndReadAll(sql, { p: value });
      const statement = await connection.prepare(sql);
      bindValues(statement, { p: value });
      const bound = await statement.runAndReadAll();
      assertEquals(bound.getRows(), expected.getRows());
    }
  }));

Deno.test("columns of every type that queries have are read as the library reads them", () =>
  withConnection(async (connection) => {
    await connection.run("create type color as enum ('red', 'green', '日本')");
    const columns = [
      "i::utinyint",
      "i::usmallint",
      "i::integer",
      "i::uinteger",
      "i::bigint * 4503599627370495",
      "i::ubigint",
      "i::hugeint * 9007199254740991",
      "i / 3",
      "'text ' || i",
      "repeat('a long text ', i + 1)",
      "['red', 'green', '日本'][i % 3 + 1]::color",
      "[i, null]",
      "date '2020-01-01' + i::integer",
      "null",
    ].flatMap((value) => [value, `case when i % 7 <> 3 then ${value} end`]);
    // More than one chunk, the last one not full.
    const sql = `select ${columns.join(", ")} from range(5000) as rows(i)`
      .replaceAll(" i", " (i % 200)");
    const expected = await (await connection.run(sql)).fetchAllChunks();
    const result = await connection.run(sql);
    const vectorsOf = createChunkReader(result);
    const chunks = await result.fetchAllChunks();
    assertEquals(chunks.length, expected.length);
    for (const [i, chunk] of chunks.entries()) {
      assertEquals(
        vectorsOf(chunk).map((vector) => vector.toArray()),
        expected[i].getColumns(),
      );
    }
  }));
