/** The view as a query string, and its dates. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { barsBetween, dayText, intervalFor } from "../../dashboard/calendar.ts";
import {
  datesOf,
  LAST_LENGTHS,
  parseView,
  type Period,
  type View,
  viewHref,
  WHOLE,
  withNames,
  withOnly,
  yearsOf,
} from "../../dashboard/view.ts";
import { openApp } from "../support/open_app.ts";

const day = fc.integer({ min: 0, max: 60_000 })
  .map((days) => dayText(days * 86_400_000));

const period: fc.Arbitrary<Period> = fc.oneof(
  fc.constant({ of: "all" } as const),
  fc.constantFrom(...LAST_LENGTHS)
    .map((length) => ({ of: "last", length }) as const),
  fc.integer({ min: 1000, max: 9999 })
    .map((year) => ({ of: "year", year }) as const),
  fc.tuple(day, fc.option(day)).map(([start_date, end_date]) =>
    ({ of: "days", start_date, end_date }) as const
  ),
);

// As the file contract has names: without space around, and never `null`.
const name = fc.option(
  fc.string({ minLength: 1, unit: "grapheme" })
    .filter((text) => text.trim() === text && text.toLowerCase() !== "null"),
);

const view: fc.Arbitrary<View> = fc.record({
  period,
  filters: fc.dictionary(
    fc.constantFrom("channel", "topic", "type", "occupation", "country_2"),
    fc.array(name, { minLength: 1, maxLength: 4 }),
    { noNullPrototype: true },
  ),
  sort: fc.constantFrom("-total", "total", "-Email", "customer_id"),
  customer: fc.option(fc.string({ minLength: 1, unit: "grapheme" })),
});

Deno.test("a view is the same after it was shared", () => {
  fc.assert(fc.property(view, (view) => {
    assertEquals(parseView(viewHref(view)), view);
  }));
});

Deno.test("the whole view has no parameters, and what is not understood is left out", () => {
  assertEquals(viewHref(WHOLE), "?");
  for (
    const search of [
      "",
      "?",
      "?period=tomorrow",
      "?start_date=2020-02-30",
      '?channel="',
      "?channel=",
      "?__proto__=1",
      "?A=1&9=1",
      "?sort=&customer=",
    ]
  ) {
    assertEquals(parseView(search), WHOLE, search);
  }
});

Deno.test("periods end with the newest day of the data", () => {
  const last = "2021-10-31";
  const range = { first: "2019-01-07", last, newest: last };
  const dates = (period: Period) => Object.values(datesOf(period, range));
  assertEquals(dates({ of: "all" }), []);
  assertEquals(dates({ of: "last", length: "30d" }), [
    "2021-10-02",
    "2021-10-31",
  ]);
  assertEquals(dates({ of: "last", length: "90d" }), [
    "2021-08-03",
    "2021-10-31",
  ]);
  assertEquals(dates({ of: "last", length: "12m" }), [
    "2020-11-01",
    "2021-10-31",
  ]);
  assertEquals(dates({ of: "year", year: 2020 }), ["2020-01-01", "2020-12-31"]);
  assertEquals(dates({ of: "year", year: 2021 }), ["2021-01-01", "2021-10-31"]);
  assertEquals(
    datesOf({ of: "last", length: "12m" }, {
      ...range,
      newest: "2020-02-29",
    }),
    { start_date: "2019-03-01", end_date: "2020-02-29" },
  );
  assertEquals(yearsOf(range), [2021, 2020, 2019]);
});

Deno.test("a click on a name counts only this one, and a second one all again", () => {
  const once = withOnly(WHOLE, { dimension: "type", name: "Red" });
  assertEquals(once.filters, { type: ["Red"] });
  assertEquals(withOnly(once, { dimension: "type", name: "Red" }), WHOLE);
  assertEquals(
    withOnly(once, { dimension: "type", name: null }).filters,
    { type: [null] },
  );
  assertEquals(
    withNames(once, { dimension: "channel", names: ["Post"] }).filters,
    { type: ["Red"], channel: ["Post"] },
  );
});

Deno.test("periods have the names of the API, with none left out", async () => {
  await using opened = await openApp({
    "customers.csv": "Customer_Id\n1\n",
    "interactions.csv": "Date Start,Interaction,Customers\n" +
      Array.from(
        { length: 4_000 },
        (_, i) => `${dayText(Date.UTC(2015, 0, 1 + i))},Email,1\n`,
      ).join(""),
  });
  const range = { first: "2015-01-01", last: "2025-12-13" };
  for (const interval of ["day", "week", "month", "quarter", "year"] as const) {
    const answer = await opened.app.request(
      `/api/v1/metrics/interactions?by=${interval}`,
    );
    const { data } = await answer.json();
    assertEquals(
      barsBetween(interval, range).map(({ name }) => name),
      data.map((group: Record<string, string>) => group[interval]),
    );
  }
});

Deno.test("the bars of a chart have no gap and no overlap, and are not too many", () => {
  fc.assert(
    fc.property(day, fc.integer({ min: 0, max: 22_000 }), (first, days) => {
      const last = dayText(Date.parse(first) + days * 86_400_000);
      const bars = barsBetween(intervalFor(first, last), { first, last });
      assertEquals(bars.length <= 64, true);
      assertEquals(
        bars[0].start_date <= first && bars[0].end_date >= first,
        true,
      );
      assertEquals(bars.at(-1)!.end_date >= last, true);
      for (const [i, bar] of bars.slice(1).entries()) {
        const end = Date.parse(bars[i].end_date);
        assertEquals(bar.start_date, dayText(end + 86_400_000));
      }
    }),
  );
});
