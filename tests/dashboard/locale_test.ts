/** Numbers and dates as readers write them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { localeOf } from "../../dashboard/locale.ts";

Deno.test("numbers, shares and days are those of the language", () => {
  const [english, german] = [localeOf(["en-GB"]), localeOf(["de-DE", "en"])];
  assertEquals(english.count(1234567), "1,234,567");
  assertEquals(german.count(1234567), "1.234.567");
  assertEquals(english.change(0.256), "+25.6%");
  assertEquals(german.day("2021-10-31"), "31.10.2021");
  assertEquals(english.day("2021-10-31"), "31 Oct 2021");
  assertEquals([2.3846, 3, 123_456].map(english.ratio), [
    "2.38",
    "3",
    "123,456",
  ]);
  assertEquals(english.weekday(1), "Monday");
  assertEquals(german.weekday(7, { is_short: true }), "So");
  assertEquals([34, 1_234, 5_600_000].map(english.bytes), [
    "34 bytes",
    "1.23 kB",
    "5.6 MB",
  ]);
});

Deno.test("every language has the days and months of the data, and no other calendar", () => {
  // With the digits of this file.
  for (
    const tag of ["fa-u-nu", "th-u-nu", "ar-SA-u-nu", "fa-u-ca-persian-nu"]
  ) {
    const locale = localeOf([`${tag}-latn`]);
    const written = {
      day: locale.day("2021-03-14"),
      days: locale.days("2021-03-01", "2021-03-14"),
      moment: locale.moment("2021-03-14T10:00:00Z"),
      day_of_axis: locale.period("2021-03-14", { interval: "day" }),
      week: locale.period("2021-03-14", { interval: "week" }),
      month: locale.period("2021-03-14", { interval: "month" }),
    };
    for (const [what, text] of Object.entries(written)) {
      assertStringIncludes(text, "2021", `${tag}, ${what}`);
    }
    const month = new Intl.DateTimeFormat(tag, {
      calendar: "gregory",
      month: "long",
    }).format(new Date("2021-03-14"));
    assertStringIncludes(written.month, month, tag);
  }
});

Deno.test("ages are rough", () => {
  const { ago } = localeOf(["en"]);
  assertEquals([-5, 0, 59, 60, 7_199, 90_000].map(ago), [
    "now",
    "now",
    "now",
    "1 minute ago",
    "1 hour ago",
    "yesterday",
  ]);
});

Deno.test("unknown and broken languages are passed over", () => {
  assertEquals(localeOf(["*", "x", "12345678901", "fr", "en"]).tag, "fr");
  assertEquals(localeOf([]).tag, "en");
});
