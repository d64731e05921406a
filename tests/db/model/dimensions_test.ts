/** What a dimension can do follows from the number of its names, decided in one place. */

import { assertEquals } from "@std/assert";
import { dimensionsWith, withCounts } from "../../../db/model/dimensions.ts";

/** What the dimensions of customers can do with these numbers of names. */
function decided(counts: Record<string, number>) {
  const dimensions = withCounts(dimensionsWith(["country"]), counts);
  return Object.fromEntries(
    dimensions.filter(({ of_customers }) => of_customers)
      .map(({ name, pivots, rollups }) => [name, { pivots, rollups }]),
  );
}

const BOTH = ["daily", "daily_by_record"];

Deno.test("what dimensions of customers can do at most", () => {
  assertEquals(decided({ type: 1_000, occupation: 100, country: 1_000 }), {
    type: { pivots: true, rollups: BOTH },
    occupation: { pivots: false, rollups: ["daily_by_record"] },
    country: { pivots: true, rollups: [] },
  });
});

Deno.test("and with one name more", () => {
  assertEquals(decided({ type: 0, occupation: 101, country: 1_001 }), {
    type: { pivots: true, rollups: BOTH },
    occupation: { pivots: false, rollups: [] },
    country: { pivots: false, rollups: [] },
  });
});

Deno.test("dimensions of interactions stay as they are", () => {
  const all = dimensionsWith([]);
  const counts = { type: 0, occupation: 0 };
  assertEquals(withCounts(all, counts).slice(0, 2), all.slice(0, 2));
});
