/** The rules by which a new snapshot looks wrong. */

import { assertEquals } from "@std/assert";
import { holdReasons, type Side } from "../../../db/refresh/hold_reasons.ts";

function side(
  interactions: number,
  {
    customers = 0,
    products = 0,
    channels = { Email: interactions } as Record<string, number>,
    latest = "2024-01-01 10:00:00" as string | null,
    upcoming = [] as string[],
    too_many = [] as string[],
  } = {},
): Side {
  return {
    row_counts: { customers, interactions, products },
    report: {
      interactions,
      channels: Object.entries(channels)
        .map(([channel, interactions]) => ({ channel, interactions })),
      latest_interaction: latest,
      upcoming,
      time_zone: "UTC",
      too_many_set_aside: too_many,
    },
  };
}

Deno.test("holdReasons", async (t) => {
  const cases: [name: string, previous: Side, next: Side, reasons: string[]][] =
    [
      ["the same", side(1000), side(1000), []],
      ["more", side(1000), side(2000), []],
      [
        "nothing after nothing",
        side(0, { latest: null }),
        side(0, { latest: null }),
        [],
      ],
      ["lost just as much as may be", side(1000), side(700), []],
      ["lost one more", side(1000), side(699), [
        "interactions lost 301 of 1,000 rows, more than HOLD_DROP=0.3 allows",
      ]],
      ["a small table may lose all", side(99), side(1), []],
      [
        "customers and products too",
        side(1, { customers: 100, products: 1000 }),
        side(1, { customers: 10, products: 0 }),
        [
          "customers lost 90 of 100 rows, more than HOLD_DROP=0.3 allows",
          "products lost 1,000 of 1,000 rows, more than HOLD_DROP=0.3 allows",
        ],
      ],
      [
        "too much set aside",
        side(1),
        side(1, { too_many: ["a.csv: bad."] }),
        ["a.csv: bad."],
      ],
      [
        "a channel vanished",
        side(1000, { channels: { Email: 989, Call: 11 } }),
        side(1000, { channels: { Email: 1000, Call: 0 } }),
        ["the channel Call vanished, which had 11 interactions"],
      ],
      [
        "a channel of a hundredth may vanish",
        side(1000, { channels: { Email: 990, Call: 10 } }),
        side(1000),
        [],
      ],
      ...[["email", "EMAIL"], ["ＣＡＬＬ", "Call"], ["ΟΔΟΣ", "οδοσ"]].map((
        [before, after],
      ): [string, Side, Side, string[]] => [
        `a channel in another spelling is there: ${before}, ${after}`,
        side(1000, { channels: { [before]: 1000 } }),
        side(1000, { channels: { [after]: 1000 } }),
        [],
      ]),
      [
        "older than before",
        side(1, { latest: "2024-01-02 00:00:00" }),
        side(1),
        [
          "the newest interaction is of 2024-01-01 10:00:00, older than 2024-01-02 00:00:00 before",
        ],
      ],
      [
        "no interaction any more",
        side(1),
        side(0, { latest: null, channels: { Email: 1 } }),
        ["there is no interaction any more; the newest was of 2024-01-01 10:00:00"],
      ],
      [
        "what was to come has come, and is gone",
        side(1, { upcoming: ["2024-02-10 09:00:00", "2024-03-01 12:00:01"] }),
        side(1, { latest: "2024-02-09 00:00:00" }),
        [
          "the newest interaction is of 2024-02-09 00:00:00, older than 2024-02-10 09:00:00 before",
        ],
      ],
      [
        "what is still to come may go",
        side(1, { upcoming: ["2024-03-01 12:00:01"] }),
        side(1),
        [],
      ],
      [
        "the clock was ahead when the one before was loaded",
        side(1, { latest: "2024-04-01 00:00:00" }),
        side(1),
        [],
      ],
      [
        "the clock is behind all data",
        side(1),
        side(1, { latest: null, upcoming: ["2024-03-01 12:00:01"] }),
        [
          "every interaction is in the future; the newest was of 2024-01-01 10:00:00",
        ],
      ],
    ];
  for (const [name, previous, next, reasons] of cases) {
    await t.step(name, () => {
      const at = new Date("2024-03-01T12:00:00Z");
      const found = holdReasons(previous, next, { hold_drop: 0.30, at });
      assertEquals(found, reasons);
    });
  }
});
