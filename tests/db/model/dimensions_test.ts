/** What a dimension can do follows from the number of its names and from the rows of a rollup by it. */

import { assertEquals } from "@std/assert";
import {
  dimensionsWith,
  type Extent,
  withCounts,
} from "../../../db/model/dimensions.ts";

/** What the dimensions of customers can do. */
function decided(extent: Extent) {
  const dimensions = withCounts(dimensionsWith(["country"]), extent);
  return Object.fromEntries(
    dimensions.filter(({ of_customers }) => of_customers)
      .map(({ name, pivots, rollups }) => [name, { pivots, rollups }]),
  );
}

/** Of 10 M interactions, 500,000 rows are a twentieth: 1,000 days, 5 channels, 4 types or none leave 20. */
const LARGE = {
  counts: { type: 4, occupation: 19, country: 1_000 },
  days: 1_000,
  channels: 5,
  interactions: 10_000_000,
};

const BOTH = ["daily", "daily_by_record"];

Deno.test("what dimensions of customers can do at most", () => {
  assertEquals(decided(LARGE), {
    type: { pivots: true, rollups: BOTH },
    occupation: { pivots: false, rollups: ["daily_by_record"] },
    country: { pivots: true, rollups: [] },
  });
});

Deno.test("and with one name more", () => {
  const counts = { type: 4, occupation: 20, country: 1_001 };
  assertEquals(decided({ ...LARGE, counts }), {
    type: { pivots: true, rollups: BOTH },
    occupation: { pivots: false, rollups: [] },
    country: { pivots: false, rollups: [] },
  });
});

for (
  const more of [
    { days: 1_001 },
    { channels: 6 },
    { interactions: 9_999_980 },
  ]
) {
  Deno.test(`and with ${JSON.stringify(more)}`, () => {
    assertEquals(decided({ ...LARGE, ...more }).occupation.rollups, []);
  });
}

Deno.test("a dimension that is left out leaves room for the next", () => {
  const counts = { type: 1_000, occupation: 99, country: 0 };
  const { type, occupation } = decided({ ...LARGE, counts });
  assertEquals(type.rollups, []);
  assertEquals(occupation.rollups, ["daily_by_record"]);
});

Deno.test("250,000 rows are few, of however few interactions", () => {
  const few = { ...LARGE, channels: 1, interactions: 9 };
  const withOccupations = (occupation: number) =>
    decided({ ...few, counts: { type: 4, occupation, country: 0 } })
      .occupation.rollups;
  assertEquals(withOccupations(49), ["daily_by_record"]);
  assertEquals(withOccupations(50), []);
});

Deno.test("nothing is counted of free text, and of no interactions anything is", () => {
  const counts = { type: 4, occupation: Infinity, country: 0 };
  assertEquals(decided({ ...LARGE, counts }).occupation.rollups, []);
  const none = { ...LARGE, days: 0, channels: 0, interactions: 0 };
  assertEquals(decided(none).occupation.rollups, ["daily_by_record"]);
});

Deno.test("dimensions of interactions stay as they are", () => {
  const all = dimensionsWith([]);
  assertEquals(withCounts(all, LARGE).slice(0, 2), all.slice(0, 2));
});
