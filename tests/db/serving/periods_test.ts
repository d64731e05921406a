/** The periods of each interval, on every day that there may be, against DuckDB's calendar. */

import { DuckDBInstance } from "@duckdb/node-api";
import { assertEquals } from "@std/assert";
import { INTERVALS } from "../../../db/model/dimensions.ts";
import { LAST_DAY } from "../../../db/serving/day_number.ts";
import { dateOfDay, periodsOf } from "../../../db/serving/periods.ts";

/** How DuckDB writes each interval. */
const EXPRESSIONS = {
  day: "strftime(day, '%Y-%m-%d')",
  week: "strftime(day, '%G-W%V')",
  month: "strftime(day, '%Y-%m')",
  quarter: "strftime(day, '%Y-Q') || quarter(day)",
  year: "strftime(day, '%Y')",
};

Deno.test("every day is in the period that DuckDB says", async (t) => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    for (const interval of INTERVALS) {
      await t.step(interval, async () => {
        const answer = await connection.runAndReadAll(
          `select ${EXPRESSIONS[interval]}
           from (select date '1900-01-01' + i::integer as day, i
                 from range(${LAST_DAY + 1}) days(i))
           order by i`,
        );
        const { of_day, textOf } = periodsOf(interval);
        const texts = answer.getRows().map(([text]) => text);
        assertEquals(Array.from(of_day, textOf), texts);
        // Numbered one after the other, as rows of a timeline are.
        assertEquals(of_day[0], 0);
        assertEquals(of_day[LAST_DAY], new Set(texts).size - 1);
      });
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
});

Deno.test("a day number is a date", () => {
  assertEquals(
    [0, 59, 43_889, LAST_DAY].map(dateOfDay),
    ["1900-01-01", "1900-03-01", "2020-03-01", "2079-06-06"],
  );
});
