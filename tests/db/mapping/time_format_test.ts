/** Patterns of strptime: which are taken, and that their shapes let through what they mean. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  hasDay,
  hasOffset,
  hasTime,
  patternProblem,
  shapeOf,
} from "../../../db/mapping/time_format.ts";
import { quoteText } from "../../../db/duckdb/database.ts";
import { withEmptyDatabase } from "../../support/empty_database.ts";

Deno.test("a pattern is taken when a date can be read by it", () => {
  const table: [pattern: string, problem: string | null][] = [
    ["%Y-%m-%d", null],
    ["%d.%m.%y %H:%M", null],
    ["%-d/%-m/%Y %-H:%-M:%-S", null],
    ["%b %Y", null],
    ["%A, %d %B %Y %I:%M %p", null],
    ["%d%%%m%%%Y", null],
    ["%m-%d", "has no year, %Y or %y"],
    ["%Y", "has no month, %m, %b or %B"],
    ["%Y %y %m", "has two years"],
    ["%Y-%m-%d %H %H", "has %H twice"],
    ["%Y-%m-%d %H %I %p", "has two hours"],
    ["%Y-%m-%d %I:%M", "needs %I and %p together"],
    ["%Y-%m-%d %M", "has minutes without an hour"],
    ["%Y-%m-%d %H:%S", "has seconds without minutes"],
    ["%Y-%m-%d %H:%M.%f", "has a fraction without seconds"],
  ];
  for (const [pattern, problem] of table) {
    assertEquals(patternProblem(pattern), problem, pattern);
  }
  const unknown = ["%Q", "%", "%j", "%-Y", "%-b", "%s", "%T", "%é", "%-"];
  for (const directive of unknown) {
    assertEquals(
      patternProblem(`%Y-%m-%d ${directive}`)?.split(",")[0],
      `has ${directive}`,
    );
  }
});

Deno.test("what a pattern has", () => {
  assertEquals(hasDay("%Y-%m"), false);
  assertEquals(hasDay("%-d %m %Y"), true);
  assertEquals(hasTime("%Y-%m-%d"), false);
  assertEquals(hasTime("%Y-%m-%d %I %p"), true);
  assertEquals(hasOffset("%Y-%m-%d %H:%M%z"), true);
  // A sign of per cent is none of them.
  assertEquals(hasDay("%%d %m %Y"), false);
});

const separators = fc.constantFrom("", " ", "-", "/", ".", ", ", "T", "年");
const day = fc.shuffledSubarray(["%d", "%m", "%Y"], { minLength: 3 });
const named_day = fc.shuffledSubarray(["%d", "%b", "%y"], { minLength: 3 });
const time = fc.constantFrom(
  "",
  " %H:%M",
  "T%H%M%S",
  " %I:%M %p",
  " %H:%M:%S.%f",
  " (%I.%M.%S%p)",
  " %-H:%-M",
);
const patterns = fc.tuple(fc.oneof(day, named_day), separators, time)
  .map(([parts, separator, time]) => parts.join(separator) + time);

Deno.test("every time written by a pattern has its shape, and comes back", async () => {
  await withEmptyDatabase(async (database) => {
    const moments = fc.integer({ min: 0, max: 3_400_000_000 });
    const cases = fc.sample(fc.tuple(patterns, moments), 400);
    const texts = cases.map(([pattern, seconds]) => {
      const format = quoteText(pattern);
      return `select strftime(make_timestamp(${seconds}000000), ${format})
        as text, ${format} as pattern, try_strptime(
          strftime(make_timestamp(${seconds}000000), ${format}), ${format})
          is not null as is_read, regexp_full_match(
          strftime(make_timestamp(${seconds}000000), ${format}),
          ${quoteText(shapeOf(pattern))}) as fits`;
    });
    const rows = await database.run(texts.join(" union all "));
    assertEquals(
      rows.filter(({ fits, is_read }) => !fits || !is_read),
      [],
    );
  });
});

Deno.test("strptime takes more than is meant, and the shape does not", async (t) => {
  const table: [pattern: string, text: string, fits: boolean][] = [
    ["%d/%m/%Y", "1/2/24", false],
    ["%d/%m/%Y", "1/2/2024", true],
    ["%d/%m/%y", "1/2/2024", false],
    ["%Y%m%d", "20240102", true],
    ["%Y%m%d", "2024112", false],
    ["%d.%m.%Y", "1x2x2024", false],
    ["%Y-%m-%d %H:%M", "2024-01-02 5:7", false],
    ["%Y-%m-%d %-H:%-M", "2024-01-02 5:7", true],
    ["%Y-%m-%d", "2024-01-02 ", false],
    ["%Y  %m %d", "2024 1 2", true],
    [" %Y-%m-%d ", "2024-01-02", true],
    ["(%Y) [%m] {%d}*+?|^$\\", "(2024) [1] {2}*+?|^$\\", true],
  ];
  await withEmptyDatabase(async (database) => {
    for (const [pattern, text, fits] of table) {
      await t.step(`${text} by ${pattern}`, async () => {
        const [row] = await database.run(
          `select regexp_full_match(${quoteText(text)}, ${
            quoteText(shapeOf(pattern))
          }) as fits`,
        );
        assertEquals(row.fits, fits);
      });
    }
  });
});
