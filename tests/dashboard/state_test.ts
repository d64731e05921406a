/** The state of the page: what is asked, what is shown meanwhile, and that nothing outlives a key. */

import { assert, assertEquals } from "@std/assert";
import { downloadOf, withParameters } from "../../dashboard/questions.ts";
import {
  answeredOf,
  isBusy,
  missingOf,
  startOf,
  type State,
  withAnswer,
  withoutKey,
  withStale,
  withVersion,
  withView,
} from "../../dashboard/state.ts";
import { parseView, WHOLE } from "../../dashboard/view.ts";

const START = { locales: ["en"], now: 0, has_admin: true };
const open = startOf(WHOLE, { ...START, is_open: true });

function answered(
  state: State,
  bodies: Readonly<Record<string, unknown>> = {},
): State {
  return missingOf(state).reduce((state, [slot, question]) => {
    const body = bodies[slot] ?? { data: [], meta: { data_version: "v1" } };
    const given = { status: 200, body };
    return withAnswer(state, { slot, answered: answeredOf(question, given) });
  }, state);
}

const DIMENSIONS = {
  data: { date_range: { first: "2019-01-07", last: "2021-10-31" } },
  meta: { data_version: "v1" },
};
const full = answered(answered(open, { dimensions: DIMENSIONS }));

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

Deno.test("only whole periods are compared", () => {
  const questionOf = (search: string) =>
    new Map(missingOf(withView(full, parseView(search)))).get("channels")!;
  assert(questionOf("?period=30d").includes("compare=previous_period"));
  assert(questionOf("?period=2020").includes("compare=previous_year"));
  assert(!questionOf("?start_date=2020-01-01").includes("compare"));
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
  });
  assertEquals([failed.body, failed.error], [null, "No such customer"]);
  const body = { error: "Loading", data: { state: "building" } };
  const waiting = answeredOf("api/v1/data", { status: 503, body });
  assertEquals([waiting.body, waiting.error], [body, "Loading"]);
});

Deno.test("questions take parameters, and become files without their pages", () => {
  assertEquals(withParameters("api/v1/a", {}), "api/v1/a");
  assertEquals(
    downloadOf("api/v1/interactions?sort=-total&limit=10&cursor=x", "csv"),
    "api/v1/interactions?sort=-total&format=csv&bom=1",
  );
});
