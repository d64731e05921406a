/** The state of the page: what is asked, what is shown meanwhile, and that nothing outlives a key. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { cardOf } from "../../dashboard/cards.ts";
import { localeOf } from "../../dashboard/locale.ts";
import { Customers } from "../../dashboard/parts/customers.tsx";
import { DataPanel } from "../../dashboard/parts/data_panel.tsx";
import { Tiles } from "../../dashboard/parts/tiles.tsx";
import {
  downloadOf,
  parametersOf,
  sortOf,
  withParameters,
} from "../../dashboard/questions.ts";
import {
  answeredOf,
  isBusy,
  isShown,
  missingOf,
  rangeOf,
  startOf,
  type State,
  withAnswer,
  withoutKey,
  withStale,
  withVersion,
  withView,
} from "../../dashboard/state.ts";
import { parseView, WHOLE, yearsOf } from "../../dashboard/view.ts";

const START = { locales: ["en"], now: 0, has_admin: true };
const open = startOf(WHOLE, { ...START, is_open: true });

function answered(
  state: State,
  bodies: Readonly<Record<string, unknown>> = {},
): State {
  return missingOf(state).reduce((state, [slot, question]) => {
    const body = bodies[slot] ?? { data: [], meta: { data_version: "v1" } };
    const given = { status: 200, body, came_at: state.now };
    return withAnswer(state, { slot, answered: answeredOf(question, given) });
  }, state);
}

const DIMENSIONS = {
  data: {
    channels: [{ name: "Email", interactions: 3 }],
    occupations: null,
    attributes: { country: [{ name: "CH", interactions: 3 }], ref: null },
    date_range: { first: "2019-01-07", last: "2021-10-31" },
  },
  meta: { data_version: "v1" },
};
const full = answered(answered(open, { dimensions: DIMENSIONS }));

/** The same data, with this as its newest interaction that is not in the future. */
function withNewest(newest_day: string | null): State {
  const data = { data: { newest_day } };
  return answered(answered(open, { dimensions: DIMENSIONS, data }));
}

Deno.test("the days of the data are asked first, and then all the rest once", () => {
  assertEquals(missingOf(open).map(([slot]) => slot), ["data", "dimensions"]);
  const known = answered(open, { dimensions: DIMENSIONS });
  assertEquals(known.data_version, "v1");
  assertEquals(
    new Map(missingOf(known)).get("timeline"),
    "api/v1/metrics/interactions?by=month&pivot=channel",
  );
  assertEquals(missingOf(full), []);
});

Deno.test("another view asks what is another question, and keeps the rest", () => {
  const next = withView(full, parseView("?sort=-Email"));
  assertEquals(missingOf(next).map(([slot]) => slot), ["customers"]);
  assert(isBusy(next, "customers") && !isBusy(next, "timeline"));
  assertEquals(next.slots.customers, full.slots.customers);
});

const questionOf = (search: string, state = full) =>
  new Map(missingOf(withView(state, parseView(search)))).get("channels")!;

Deno.test("no period is compared that is not over, nor with one of which a part is missing", () => {
  const compareOf = (search: string, state = full) =>
    parametersOf(questionOf(search, state)).compare;
  assertEquals(compareOf("?period=30d"), "previous_period");
  assertEquals(compareOf("?period=2021"), "previous_year");
  assertEquals(compareOf("?start_date=2020-01-01"), undefined);
  // The data begins on 7 January 2019: most of that year is there, and not of others.
  assertEquals(compareOf("?period=2020"), "previous_year");
  assertEquals(compareOf("?period=2019"), undefined);
  assertEquals(
    compareOf("?start_date=2019-02-01&end_date=2019-02-28"),
    undefined,
  );
  assertEquals(
    compareOf("?start_date=2019-01-11&end_date=2019-01-14"),
    "previous_period",
  );
  assertEquals(
    compareOf("?start_date=2019-01-11&end_date=2019-01-15"),
    undefined,
  );
  // Of a year that is not over, the same days of the year before count.
  const date_range = { first: "2023-01-25", last: "2024-01-20" };
  const dimensions = {
    ...DIMENSIONS,
    data: { ...DIMENSIONS.data, date_range },
  };
  const begun = answered(answered(open, { dimensions }));
  assertEquals(compareOf("?period=2024", begun), undefined);
  // Of what is dated in the future, a part is there.
  const early = withNewest("2021-05-20");
  assertEquals(compareOf("?period=2021", early), "previous_year");
  assertEquals(
    compareOf("?start_date=2021-05-01&end_date=2021-05-20", early),
    "previous_period",
  );
  assertEquals(
    compareOf("?start_date=2021-05-01&end_date=2021-05-21", early),
    undefined,
  );
});

Deno.test("a period that goes on beyond the data ends with it", () => {
  const { start_date, end_date, compare } = parametersOf(
    questionOf("?start_date=2021-01-01&end_date=2030-12-31"),
  );
  assertEquals([start_date, end_date], ["2021-01-01", "2021-10-31"]);
  assertEquals(compare, "previous_period");
  const beyond = parametersOf(
    questionOf("?start_date=2030-01-01&end_date=2030-12-31"),
  );
  assertEquals(beyond.end_date, "2030-12-31");
});

Deno.test("periods end with the newest day that is not in the future", () => {
  const datesIn = (search: string, state: State) => {
    const { start_date, end_date } = parametersOf(questionOf(search, state));
    return [start_date, end_date];
  };
  const early = withNewest("2020-05-20");
  assertEquals(datesIn("?period=30d", early), ["2020-04-21", "2020-05-20"]);
  assertEquals(datesIn("?period=2020", early), ["2020-01-01", "2020-05-20"]);
  assertEquals(yearsOf(rangeOf(early)!), [2020, 2019]);
  // Where all are in the future, or the day is that of other data.
  for (const newest of [null, "2018-05-20", "2022-01-01"]) {
    assertEquals(rangeOf(withNewest(newest))!.newest, "2021-10-31");
  }
});

Deno.test("parameters that are no dimensions of the data filter nothing", () => {
  const search =
    "?utm_source=news&fbclid=1&date_range=1&channel=Email&occupation=Baker&country=CH&ref=a";
  const given = parseView(search);
  const known = ["channel", "country", "occupation", "ref"];
  const first = { dimensions: DIMENSIONS };
  for (
    const state of [
      answered(startOf(given, { ...START, is_open: true }), first),
      withView(full, given),
    ]
  ) {
    assertEquals(Object.keys(state.view.filters).sort(), known);
    assertEquals(
      missingOf(state).filter(([, question]) => /utm|fbclid/.test(question)),
      [],
    );
    assert(isShown(state, given));
    assert(!isShown(state, WHOLE));
  }
});

Deno.test("the bars at both ends lead to the days that they count", () => {
  const hrefsOf = (search: string) => {
    const state = answered(withView(full, parseView(search)));
    const card = cardOf(state, { slot: "timeline", locale: localeOf(["en"]) })!;
    return [card.table.rows[0].href, card.table.rows.at(-1)!.href];
  };
  assertEquals(hrefsOf("?start_date=2020-03-15&end_date=2020-12-10"), [
    "?start_date=2020-03-15&end_date=2020-03-15",
    "?start_date=2020-12-07&end_date=2020-12-10",
  ]);
  assertEquals(hrefsOf(""), [
    "?start_date=2019-01-07&end_date=2019-01-31",
    "?start_date=2021-10-01&end_date=2021-10-31",
  ]);
});

Deno.test("in data without interactions nobody was reached", () => {
  const data = { date_range: null };
  const none = answered(
    answered(open, { dimensions: { ...DIMENSIONS, data } }),
  );
  assertEquals(none.slots.reached, undefined);
  const html = `${<Tiles state={none} locale={localeOf(["en"])} />}`;
  assertEquals(
    Array.from(html.matchAll(/tile-value">([^<]*)</g), ([, text]) => text),
    ["0", "0", "0", "None"],
  );
});

Deno.test("no tile compares, or divides, numbers of two views", () => {
  const meta = { data_version: "v1" };
  const before = { start_date: "2019-01-01", end_date: "2019-12-31" };
  const compared_with = { ...meta, compared_with: before };
  const whole = {
    channels: { data: [{ interactions: 60 }], meta },
    reached: { data: [{ customers: 20 }], meta },
  };
  const year = {
    channels: {
      data: [{ interactions: 30, previous: 20 }],
      meta: compared_with,
    },
    reached: { data: [{ customers: 10, previous: 5 }], meta: compared_with },
  };
  const tilesOf = (state: State) => {
    const html = `${<Tiles state={state} locale={localeOf(["en"])} />}`;
    return Array.from(
      html.matchAll(
        /tile-value">(?:<[^>]*>)?([^<]*)<.*?tile-change[^>]*>(?:<svg.*?<\/svg>)?([^<]*)</gs,
      ),
      ([, value, change]) => `${value} ${change.trim()}`,
    ).slice(0, 3);
  };
  const only = (
    state: State,
    slot: "channels" | "reached",
    bodies: Readonly<Record<string, unknown>>,
  ) => {
    const question = new Map(missingOf(state)).get(slot)!;
    const given = { status: 200, body: bodies[slot], came_at: 0 };
    return withAnswer(state, { slot, answered: answeredOf(question, given) });
  };
  const known = answered(open, { dimensions: DIMENSIONS });
  const of_whole = answered(known, whole);
  const of_year = answered(withView(of_whole, parseView("?period=2020")), year);
  const in_all = ["60 In all", "20 In all", "3 In all"];
  const against = "against Jan 1 – Dec 31, 2019";
  const in_year = [
    `30 +50% ${against}`,
    `10 +100% ${against}`,
    `3 -25% ${against}`,
  ];
  assertEquals(tilesOf(of_whole), in_all);
  assertEquals(tilesOf(of_year), in_year);

  const to_year = withView(of_whole, of_year.view);
  const none = "No whole period to compare with";
  assertEquals(tilesOf(to_year), [`60 ${none}`, `20 ${none}`, `3 ${none}`]);
  assertEquals(tilesOf(only(to_year, "channels", year)), [
    in_year[0],
    `20 ${none}`,
    "— ",
  ]);
  assertEquals(tilesOf(only(to_year, "reached", year)), [
    `60 ${none}`,
    in_year[1],
    "— ",
  ]);
  const to_whole = withView(of_year, of_whole.view);
  assertEquals(tilesOf(to_whole), in_year);
  assertEquals(tilesOf(only(to_whole, "channels", whole)), [
    in_all[0],
    in_year[1],
    "— ",
  ]);

  // The same view of another version.
  const channels = { ...whole.channels, meta: { data_version: "v2" } };
  const newer = only(withVersion(of_whole, "v2"), "channels", { channels });
  assertEquals(tilesOf(newer), [in_all[0], in_all[1], "— "]);
});

Deno.test("the age of the data is what the server says, and grows by the time since", () => {
  const loaded_at = "2020-01-01T00:00:00.000Z";
  const data = { loaded_at, age_seconds: 7_000, waiting: [], report: null };
  const state = answered({ ...open, now: 60_000 }, { data: { data } });
  const ages: [now: number, age: string][] = [
    // The page is drawn anew each minute, and an answer comes meanwhile.
    [0, "1 hour ago"],
    [60_000, "1 hour ago"],
    [60_000 + 200_000, "2 hours ago"],
    [60_000 + 10 * 86_400_000, "10 days ago"],
  ];
  for (const [now, age] of ages) {
    const drawn = { state: { ...state, now }, locale: localeOf(["en"]) };
    assertStringIncludes(`${<Tiles {...drawn} />}`, `Loaded ${age}<`);
    const panel = `${<DataPanel {...drawn} />}`;
    assertMatch(panel, new RegExp(`<time datetime="2020.*>${age}</time>`));
  }
});

Deno.test("the list is in the order of a channel that counts", () => {
  const orderOf = (search: string) => sortOf(parseView(search));
  assertEquals(orderOf("?sort=-Email"), "-Email");
  assertEquals(orderOf("?sort=-Email&channel=Email,Call"), "-Email");
  assertEquals(orderOf("?sort=-Email&channel=Call"), "-total");
  assertEquals(orderOf("?sort=customer_id&channel=Call"), "customer_id");
  assertEquals(
    orderOf("?sort=-channel_Total&channel=Total"),
    "-channel_Total",
  );
});

Deno.test("one heading has the order, also beside a channel that begins with -", () => {
  const body = {
    data: [{
      customer_id: 1,
      interactions: { "-Email": 2, Email: 1 },
      total: 3,
    }],
    meta: { data_version: "v1", customers: 1, next: null },
  };
  const known = answered(open, { dimensions: DIMENSIONS });
  const headingsOf = (search: string) => {
    const state = answered(withView(known, parseView(search)), {
      customers: body,
    });
    const html = `${<Customers state={state} locale={localeOf(["en"])} />}`;
    const heads = /<thead>(.*?)<\/thead>/s.exec(html)![1].matchAll(
      /<th scope="col" class="number"( aria-sort="\w+")?><a href="\?([^"]*)"/g,
    );
    return Array.from(heads, ([, order, href]) => [!!order, href]);
  };
  assertEquals(headingsOf("?sort=-Email"), [
    [true, "sort=--Email"],
    // From the largest, it cannot be asked.
    [false, "sort=Email"],
    [false, ""],
  ]);
  assertEquals(headingsOf("?sort=Email").map(([order]) => order), [
    false,
    true,
    false,
  ]);
  assertEquals(headingsOf("?sort=--Email")[0], [true, "sort=-Email"]);
});

Deno.test("another customer shows nothing of the one before", () => {
  const one = answered(withView(full, parseView("?customer=1")));
  assert(one.slots.record);
  const two = withView(one, parseView("?customer=2"));
  assertEquals(two.slots.record, undefined);
  assertEquals(
    missingOf(two).map(([, question]) => question)[0],
    "api/v1/customers/2",
  );
  assertEquals(withView(one, one.view).slots, one.slots);
});

Deno.test("another version asks everything again, and shows the old numbers meanwhile", () => {
  const next = withVersion({ ...full, cursors: ["a"] }, "v2");
  assertEquals(missingOf(next).length, Object.keys(full.slots).length);
  assertEquals(next.slots.channels!.body, full.slots.channels!.body);
  assertEquals(next.cursors, []);
  assertEquals(missingOf(withStale(full, "data")).length, 1);
});

Deno.test("nothing of what a key has read outlives it", () => {
  const locked = startOf(WHOLE, { ...START, is_open: false });
  assertEquals(missingOf(locked), []);
  const read = { ...full, is_open: false, access: "key" } as const;
  assertEquals(withoutKey(read, "gone"), { ...locked, access_error: "gone" });
});

Deno.test("a failure keeps its words; while nothing is served, the state of the data is there", () => {
  const failed = answeredOf("api/v1/customers/9", {
    status: 404,
    body: { error: "No such customer" },
    came_at: 0,
  });
  assertEquals([failed.body, failed.error], [null, "No such customer"]);
  const body = { error: "Loading", data: { state: "building" } };
  const waiting = answeredOf("api/v1/data", {
    status: 503,
    body,
    came_at: 0,
  });
  assertEquals([waiting.body, waiting.error], [body, "Loading"]);
});

Deno.test("questions take parameters, and become files without their pages", () => {
  assertEquals(withParameters("api/v1/a", {}), "api/v1/a");
  assertEquals(
    downloadOf("api/v1/interactions?sort=-total&limit=10&cursor=x", "csv"),
    "api/v1/interactions?sort=-total&format=csv&bom=1",
  );
});
