/** Day numbers: every day of the calendar. */

import { assertEquals } from "@std/assert";
import { dayNumber, LAST_DAY } from "../../../db/serving/day_number.ts";
import { dateOfDay } from "../../support/load_folder.ts";

Deno.test("dayNumber, dates", async (t) => {
  const cases: [date: string, day: number][] = [
    ["1900-01-01", 0],
    ["1900-01-02", 1],
    ["1900-02-28", 58],
    // 1900 was no leap year, 2000 was one.
    ["1900-03-01", 59],
    ["1900-12-31", 364],
    ["1901-01-01", 365],
    ["1904-02-29", 1519],
    ["1970-01-01", 25_567],
    ["2000-02-29", 36_583],
    ["2000-03-01", 36_584],
    ["2019-10-04", 43_740],
    ["2020-02-29", 43_888],
    ["2078-12-31", 65_378],
    ["2079-06-05", 65_534],
    ["2079-06-06", 65_535],
    // Held within -1 and LAST_DAY.
    ["1899-12-31", -1],
    ["1899-12-30", -1],
    ["1582-10-15", -1],
    ["0001-01-01", -1],
    ["0000-01-01", -1],
    ["2079-06-07", LAST_DAY],
    ["2100-01-01", LAST_DAY],
    ["9999-12-31", LAST_DAY],
  ];
  for (const [date, day] of cases) {
    await t.step(date, () => assertEquals(dayNumber(date), day));
  }
});

Deno.test("dayNumber, all 65,536 days", () => {
  for (let day = 0; day <= LAST_DAY; day++) {
    const date = dateOfDay(day);
    if (dayNumber(date) !== day) {
      assertEquals([date, dayNumber(date)], [date, day]);
    }
  }
});
