/** The newest interaction at moments after a load, in the time zone of the data. */

import { assertEquals } from "@std/assert";
import { newestDay, newestInteraction } from "../../../db/model/newest.ts";

const NEWEST = {
  latest_interaction: "2024-03-01 10:00:00",
  upcoming: ["2024-03-01 18:00:00", "2024-03-09 09:00:00"],
  time_zone: "America/New_York",
};

Deno.test("the newest interaction is the last one up to a moment, its day the last one up to that day", () => {
  const cases: [at: string, time: string | null, day: string][] = [
    ["2024-03-01T15:30:00Z", "2024-03-01 10:00:00", "2024-03-01"],
    ["2024-03-01T22:59:59Z", "2024-03-01 10:00:00", "2024-03-01"],
    ["2024-03-01T23:00:00Z", "2024-03-01 18:00:00", "2024-03-01"],
    // Before midnight there, and after it.
    ["2024-03-09T04:59:59Z", "2024-03-01 18:00:00", "2024-03-01"],
    ["2024-03-09T05:00:00Z", "2024-03-01 18:00:00", "2024-03-09"],
    ["2031-01-01T00:00:00Z", "2024-03-09 09:00:00", "2024-03-09"],
    // The clock was set back since the load.
    ["2020-01-01T00:00:00Z", null, "2024-03-01"],
  ];
  for (const [text, time, day] of cases) {
    const at = new Date(text);
    assertEquals([newestInteraction(NEWEST, at), newestDay(NEWEST, at)], [
      time,
      day,
    ], text);
  }
  const all_to_come = { ...NEWEST, latest_interaction: null };
  assertEquals(newestDay(all_to_come, new Date("2024-02-01T00:00:00Z")), null);
});
