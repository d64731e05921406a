/** `/api/v1/data…`: what it tells, to whom, and what an administrator may do. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dataEndpoints } from "../../routes/data.ts";
import { FORMATS } from "../../routes/formats/formats.ts";
import { dataFolder } from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256, keyFile } from "../support/keys.ts";
import { appOn, emptyStore, openApp } from "../support/open_app.ts";
import { readArrow, readParquet, readXlsx } from "../support/read_back.ts";
import { exportsOf, watchedStore } from "../support/watched_store.ts";

const AS_ADMIN = { Authorization: `Bearer ${ADMIN_KEY}` };

const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\nx,Baker,Blue\n",
  "interactions.csv":
    'Date Start,Interaction,Customers\n05/03/2020,Bird,1\n31/02/2020,Call,1\n"=2+3,""x""",Call,1\n',
  "notes.txt": "",
};

Deno.test("the report tells what is served and how clean it is", async () => {
  await using opened = await openApp(FILES);
  const answer = await opened.app.request("/api/v1/data");
  assertEquals(answer.status, 200);
  assertEquals(answer.headers.get("Cache-Control"), "no-store");
  const { data, meta } = await answer.json();
  const { data_version, loaded_at } = opened.snapshot;
  assertEquals(meta, { data_version, loaded_at });
  const { report, age_seconds, ...rest } = data;
  assertEquals(rest, {
    state: "serving",
    data_version,
    loaded_at,
    newest_day: "2020-03-05",
    restored: false,
    reasons: [],
    waiting: [],
    held: null,
    notice: null,
    discarded: null,
    changes: null,
  });
  assert(age_seconds >= 0 && age_seconds < 60);
  for (const left_out of ["set_aside_listed", "upcoming", "time_zone"]) {
    assertEquals(report[left_out], undefined);
  }
  assertEquals(
    report.files.map((
      { file, rows_read, rows_kept, rows_set_aside }: Record<string, unknown>,
    ) => [file, rows_read, rows_kept, rows_set_aside]),
    [["customers.csv", 2, 1, 1], ["interactions.csv", 3, 1, 2]],
  );
  assertStringIncludes(JSON.stringify(report.warnings), "notes.txt");
});

const NO_META = { data_version: null, loaded_at: null };

Deno.test("nothing is served yet: 503, and an empty history", async () => {
  const { app } = appOn(emptyStore());
  for (const path of ["/api/v1/data", "/api/v1/data/set-aside"]) {
    const answer = await app.request(path);
    assertEquals(answer.status, 503);
    assertEquals(answer.headers.get("Cache-Control"), "no-store");
    assertEquals(answer.headers.get("Retry-After"), "1");
    assert(answer.headers.has("X-Request-Id"));
    await answer.body?.cancel();
  }
  assertEquals(await (await app.request("/api/v1/data/history")).json(), {
    data: [],
    meta: NO_META,
  });
});

Deno.test("nothing can be served: 503 tells why, in the same shape", async () => {
  await using watched = await watchedStore({
    "customers.csv": "Kunde\n1\n",
    "interactions.csv": "Date,Event,Customer\n",
  });
  await watched.next();
  const { app } = appOn(watched.store);
  const answer = await app.request("/api/v1/data");
  assertEquals(answer.status, 503);
  const reason =
    'customers.csv, line 1: no column Customer_Id among "Kunde". Name the columns as docs/file-contract.md says.';
  assertEquals(await answer.json(), {
    error: reason,
    data: {
      state: "failed",
      ...NO_META,
      age_seconds: null,
      newest_day: null,
      restored: false,
      reasons: [reason],
      waiting: [],
      discarded: null,
      notice: null,
      held: null,
      changes: null,
      report: null,
    },
    meta: NO_META,
  });
  const history = await (await app.request("/api/v1/data/history")).json();
  assertEquals(history.data.length, 1);
  const [{ sequence, started_at, ended_at, ...failed }] = history.data;
  assert(started_at <= ended_at);
  assert(Number.isSafeInteger(sequence));
  assertEquals(failed, {
    state: "failed",
    reasons: [reason],
    data_version: null,
    seconds: null,
    customers: null,
    interactions: null,
    rows_set_aside: null,
    changes: null,
  });
});

Deno.test("rows set aside, in pages, with their value for the administrator only", async (t) => {
  await using opened = await openApp(FILES, { ADMIN_KEY_SHA256 });
  const ask = async (query: string, headers: Record<string, string> = {}) => {
    const answer = await opened.app.request(`/api/v1/data/set-aside${query}`, {
      headers,
    });
    return { status: answer.status, body: await answer.json() };
  };
  const rows = [
    {
      file: "customers.csv",
      line: 3,
      column: "customer_id",
      reason: "not a customer id from 1 to 9007199254740991",
    },
    {
      file: "interactions.csv",
      line: 3,
      column: "date_start",
      reason: "no such day or time",
    },
    {
      file: "interactions.csv",
      line: 4,
      column: "date_start",
      reason:
        "not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59",
    },
  ];
  await t.step("to anyone, without values", async () => {
    const { body } = await ask("");
    assertEquals(body.data, rows);
    const { data_version, loaded_at } = opened.snapshot;
    assertEquals(body.meta, {
      data_version,
      loaded_at,
      rows: 3,
      rows_set_aside: 3,
      next: null,
    });
  });
  await t.step("to the administrator, with them", async () => {
    const { body } = await ask("", AS_ADMIN);
    assertEquals(
      body.data.map(({ value }: { value: unknown }) => value),
      ["x", "31/02/2020", '=2+3,"x"'],
    );
  });
  await t.step("a wrong key is told", async () => {
    assertEquals((await ask("", { Authorization: "Bearer x" })).status, 401);
  });
  await t.step("what is no key of ours counts as none", async () => {
    const { status, body } = await ask("", { Authorization: "Basic eDp5" });
    assertEquals(status, 200);
    assertEquals(body.data, rows);
  });
  await t.step("a key while administration is off is told", async () => {
    const { app } = appOn(opened.store);
    const answer = await app.request("/api/v1/data/set-aside", {
      headers: AS_ADMIN,
    });
    assertEquals(answer.status, 403);
    assertStringIncludes((await answer.json()).error, "ADMIN_KEY_SHA256");
  });
  await t.step("of a table or a file", async () => {
    assertEquals((await ask("?table=customers")).body.data, rows.slice(0, 1));
    assertEquals(
      (await ask("?file=interactions.csv")).body.data,
      rows.slice(1),
    );
    assertEquals((await ask("?table=products")).body.data, []);
    const { body } = await ask("?table=customers&file=interactions.csv");
    assertEquals([body.data, body.meta.rows_set_aside], [[], 0]);
  });
  await t.step("names that are not there are told", async () => {
    assertEquals((await ask("?table=orders")).body, {
      error:
        "table must be one of channels, products, customers, interactions.",
    });
    assertEquals((await ask("?file=orders.csv")).body, {
      error:
        'Unknown file "orders.csv". Known: customers.csv, interactions.csv.',
    });
  });
  await t.step("of a data version", async () => {
    const { data_version } = opened.snapshot;
    assertEquals((await ask(`?data_version=${data_version}`)).body.data, rows);
    assertEquals((await ask(`?data_version=${"0".repeat(16)}`)).status, 410);
    assertEquals((await ask("?data_version=1")).status, 400);
  });
  await t.step("page by page", async () => {
    const seen = [];
    for (let query = "?limit=1";;) {
      const { body } = await ask(query);
      seen.push(...body.data);
      if (body.meta.next === null) break;
      query = `?limit=1&cursor=${body.meta.next}`;
    }
    assertEquals(seen, rows);
  });
  await t.step("a cursor of other data is gone", async () => {
    const gone = btoa(JSON.stringify(["0".repeat(16), 1, 1]));
    assertEquals((await ask(`?cursor=${gone}`)).status, 410);
    assertEquals((await ask("?cursor=x")).status, 400);
    assertEquals((await ask("?limit=0")).status, 400);
    assertEquals((await ask("?format=xml")).status, 400);
    assertEquals((await ask("?page=1")).status, 400);
  });
  await t.step("as CSV", async () => {
    const answer = await opened.app.request(
      "/api/v1/data/set-aside?format=csv&file=interactions.csv",
      { headers: AS_ADMIN },
    );
    assertEquals(answer.headers.get("Content-Type"), "text/csv; charset=utf-8");
    assertStringIncludes(
      answer.headers.get("Content-Disposition")!,
      `set-aside-${opened.snapshot.data_version}.csv`,
    );
    assertEquals(
      await answer.text(),
      `file,line,column,reason,value\r\ninteractions.csv,3,date_start,no such day or time,31/02/2020\r\ninteractions.csv,4,date_start,"not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59","'=2+3,""x"""\r\n`,
    );
    const text = async (query: string) =>
      await (await opened.app.request(
        `/api/v1/data/set-aside?format=csv${query}`,
      )).text();
    assertEquals(
      await text("&limit=1"),
      "file,line,column,reason\r\ncustomers.csv,3,customer_id,not a customer id from 1 to 9007199254740991\r\n",
    );
    assertEquals(await text("&table=products"), "file,line,column,reason\r\n");
  });
  await t.step("in every other format, by format and by Accept", async () => {
    const grid = [
      ["file", "line", "column", "reason"],
      [
        "customers.csv",
        3,
        "customer_id",
        "not a customer id from 1 to 9007199254740991",
      ],
    ];
    for (
      const [format, read] of [
        ["xlsx", readXlsx],
        ["parquet", readParquet],
        ["arrow", readArrow],
      ] as const
    ) {
      const path = "/api/v1/data/set-aside?table=customers";
      const Accept = FORMATS[format].media_type;
      for (
        const answer of [
          await opened.app.request(`${path}&format=${format}`),
          await opened.app.request(path, { headers: { Accept } }),
        ]
      ) {
        assertEquals(answer.headers.get("Content-Type"), Accept);
        assertEquals(await read(await answer.bytes()), grid);
      }
    }
    const lines = await opened.app.request(
      "/api/v1/data/set-aside?format=ndjson&table=customers",
    );
    const [head, row] = grid;
    assertEquals(
      JSON.parse(await lines.text()),
      Object.fromEntries(head.map((name, i) => [name, row[i]])),
    );
    const none = await opened.app.request("/api/v1/data/set-aside", {
      headers: { Accept: "image/png" },
    });
    assertEquals(none.status, 406);
  });
});

Deno.test("rows set aside of a file that two tables of tally.toml read: each is of its own table", async () => {
  await using opened = await openApp({
    "crm.csv":
      "Id,Kind,When,How\n1,Red,2020-03-01,Bird\n2,Red,bad,Bird\nx,Red,2020-03-02,Bird\n",
    "tally.toml": `
[[customers]]
files = "crm.csv"
id = "Id"
type = "Kind"

[[interactions]]
files = "crm.csv"
customer = "Id"
time = "When"
channel = "How"
`,
  }, { MAX_SET_ASIDE: "1" });
  const listed = async (query: string) => {
    const answer = await opened.app.request(`/api/v1/data/set-aside?${query}`);
    const { data, meta } = await answer.json();
    return {
      rows: data.map((
        { line, column }: { line: number; column: string },
      ) => [line, column]),
      rows_set_aside: meta.rows_set_aside,
    };
  };
  const customers = [[4, "customer_id"]];
  const interactions = [[3, "date_start"], [4, "customers"]];
  assertEquals(await listed("table=customers"), {
    rows: customers,
    rows_set_aside: 1,
  });
  assertEquals(await listed("table=interactions&file=crm.csv"), {
    rows: interactions,
    rows_set_aside: 2,
  });
  assertEquals(await listed("file=crm.csv"), {
    rows: [...customers, ...interactions],
    rows_set_aside: 3,
  });
  assertEquals(await listed("table=products"), { rows: [], rows_set_aside: 0 });
});

Deno.test("an administrator delivers files, accepts, discards and rolls back", async (t) => {
  await using state = await dataFolder();
  const settings = { ADMIN_KEY_SHA256, STATE_DIR: state.path };
  await using watched = await watchedStore(exportsOf(200), settings);
  const { app } = appOn(watched.store, settings);
  const send = async (
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ) => {
    const answer = await app.request(`/api/v1/data${path}`, {
      method,
      headers: { ...AS_ADMIN, ...headers },
      body,
    });
    return { status: answer.status, body: await answer.json() };
  };
  const decide = (decision: string, data_version: unknown) =>
    send("POST", `/${decision}`, JSON.stringify({ data_version }), {
      "Content-Type": "application/json",
    });
  const [current, past] = dataEndpoints;
  const told = async () => {
    const { body } = await send("GET", "");
    current.answers[200].schema.parse(body);
    return body.data;
  };
  const interactions = (count: number) =>
    exportsOf(count)["interactions.csv"] as string;
  assertEquals((await watched.next()).state, "serving");

  await t.step("delivered: 202 at once, then live", async () => {
    const { status, body } = await send(
      "PUT",
      "/files/interactions.csv",
      interactions(250),
    );
    assertEquals(status, 202);
    assertEquals([body.data.name, body.data.table], [
      "interactions.csv",
      "interactions",
    ]);
    assertEquals((await watched.next()).state, "serving");
    assertEquals(watched.snapshot.row_counts.interactions, 250);
    const { changes } = await told();
    assertEquals(changes.tables.interactions, { rows_added: 50, rows_gone: 0 });
    const { body: { data } } = await send("GET", "/files");
    assertEquals(
      data.map(({ name }: { name: string }) => name),
      ["customers.csv", "interactions.csv"],
    );
  });
  await t.step("refused: the older file stays", async () => {
    const { status, body } = await send(
      "PUT",
      "/files/interactions.csv",
      "a,b\n",
    );
    assertEquals(status, 422);
    assertStringIncludes(body.error, "Date Start");
    for (const name of ["orders.csv", "..%2Fcustomers.csv", ".customers.csv"]) {
      assertEquals((await send("PUT", `/files/${name}`, "x")).status, 400);
    }
    assertEquals((await send("DELETE", "/files/products.csv")).status, 404);
  });
  await t.step("held, and discarded", async () => {
    await send("PUT", "/files/interactions.csv", interactions(100));
    assertEquals((await watched.next()).state, "held");
    const { state, held } = await told();
    assertEquals(state, "held");
    assertEquals(held.changes.tables.interactions.rows_gone, 150);
    const of_held = await send(
      "GET",
      `/set-aside?data_version=${held.data_version}`,
    );
    assertEquals(of_held.body.data, []);
    assertEquals(of_held.body.meta.data_version, held.data_version);
    assertEquals((await decide("discard", "0".repeat(16))).status, 409);
    assertEquals((await decide("discard", 7)).status, 400);
    for (const body of ["{", "null", "7", "[]", '{"data_version":null}', ""]) {
      const json = { "Content-Type": "application/json" };
      assertEquals((await send("POST", "/discard", body, json)).status, 400);
    }
    assertEquals((await decide("discard", "x".repeat(2_000))).status, 413);
    assertEquals((await decide("discard", held.data_version)).status, 200);
    const after = await told();
    assertEquals(
      [after.state, after.held, after.discarded],
      ["serving", null, held.data_version],
    );
    assertStringIncludes(after.reasons[0], "was discarded");
    // What changed with the data that is served is still said.
    assertEquals(after.changes.tables.interactions.rows_added, 50);
    assertEquals((await watched.next()).state, "serving");
  });
  await t.step("discarded, and accepted all the same", async () => {
    const { discarded } = await told();
    const { data_version } = watched.snapshot;
    assertEquals((await decide("accept", data_version)).status, 409);
    const { status, body } = await decide("accept", discarded);
    assertEquals([status, body.data.state], [202, "building"]);
    assertEquals((await watched.next()).state, "serving");
    assertEquals(watched.snapshot.data_version, discarded);
    assertEquals((await told()).discarded, null);
    assertEquals((await decide("rollback", data_version)).status, 409);
    assertEquals((await decide("rollback", discarded)).status, 200);
    await watched.next();
    assertEquals(watched.snapshot.row_counts.interactions, 250);
  });
  await t.step("held, and accepted", async () => {
    await send("PUT", "/files/interactions.csv", interactions(90));
    assertEquals((await watched.next()).state, "held");
    const { held } = await told();
    const { body } = await decide("accept", held.data_version);
    assertEquals(body, {
      data: { state: "serving", data_version: held.data_version },
      meta: {
        data_version: held.data_version,
        loaded_at: watched.snapshot.loaded_at,
      },
    });
    await watched.next();
    assertEquals(watched.snapshot.row_counts.interactions, 90);
  });
  await t.step("rolled back", async () => {
    assertEquals((await decide("rollback", "x")).status, 400);
    const { status } = await decide(
      "rollback",
      watched.snapshot.data_version,
    );
    assertEquals(status, 200);
    await watched.next();
    assertEquals(watched.snapshot.row_counts.interactions, 250);
    assertEquals((await told()).restored, true);
    const ready = await (await app.request("/readyz")).json();
    assertEquals(ready.status, "ready");
    assertStringIncludes(ready.notice, "last good data");
  });
  await t.step(
    "a removed table: the refresh fails, the data stays",
    async () => {
      assertEquals((await send("DELETE", "/files/customers.csv")).status, 202);
      assertEquals((await watched.next()).state, "failed");
      assertEquals(watched.snapshot.row_counts.interactions, 250);
      assertEquals((await told()).state, "failed");
    },
  );
  await t.step("asked to look: 202", async () => {
    const { status, body } = await send("POST", "/refresh");
    assertEquals(status, 202);
    assertEquals(body.meta.data_version, watched.snapshot.data_version);
    assertEquals((await watched.next()).state, "failed");
  });
  await t.step("the history tells it all", async () => {
    const { body } = await send("GET", "/history");
    past.answers[200].schema.parse(body);
    const { data } = body;
    assertEquals(
      data.map(({ state }: { state: string }) => state),
      [
        "failed",
        "failed",
        "serving",
        "serving",
        "held",
        "serving",
        "serving",
        "serving",
        "held",
        "serving",
        "serving",
      ],
    );
    assertEquals(data.at(-1).interactions, 200);
  });
});

/** Reads a stream of events one by one, without what only keeps it open. */
function listening({ body }: Response) {
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  return {
    async heard(): Promise<string | undefined> {
      for (;;) {
        const { value } = await reader.read();
        if (!value?.startsWith(":")) return value;
      }
    },
    leave: () => reader.cancel(),
  };
}

Deno.test("listeners hear of new data, and there are not too many", async () => {
  await using watched = await watchedStore(exportsOf(1));
  await watched.next();
  const { app } = appOn(watched.store, { EVENTS_MAX: "1" });
  const answer = await app.request("/api/v1/data/events");
  assertEquals(answer.headers.get("Content-Type"), "text/event-stream");
  const { heard, leave } = listening(answer);
  const first = watched.snapshot;
  const told = ({ data_version, loaded_at }: typeof first) =>
    `event: version\ndata: ${JSON.stringify({ data_version, loaded_at })}\n\n`;
  assertEquals(await heard(), told(first));

  const busy = await app.request("/api/v1/data/events");
  assertEquals(busy.status, 503);
  await busy.body?.cancel();

  await watched.folder.write(exportsOf(2));
  assertEquals(await heard(), told((await watched.next(), watched.snapshot)));
  await watched.folder.write({ "customers.csv": "x\n" });
  assertStringIncludes((await heard())!, "event: failed\ndata: {");
  // Nothing of the first snapshot is kept open by the listener.
  assert(first !== watched.snapshot);
  await leave();
  await watched.until(() => true);
  const again = await app.request("/api/v1/data/events");
  assertEquals(again.status, 200);
  await again.body?.cancel();
});

Deno.test("whose key is for some customers hears of versions only, and no longer than the key lives", async () => {
  await using watched = await watchedStore(exportsOf(1));
  await watched.next();
  const { file, keys } = keyFile({
    all: { scopes: ["read"] },
    some: { scopes: ["read"], customers: [1] },
  });
  const { app, callers } = appOn(watched.store, {}, { key_file: file });
  const listen = async (key: string) => {
    const headers = { "X-API-Key": key };
    const answer = await app.request("/api/v1/data/events", { headers });
    const { heard } = listening(answer);
    assertStringIncludes((await heard())!, "event: version\n");
    return async () => (await heard())?.split("\n")[0];
  };
  const [all, some] = [await listen(keys.all), await listen(keys.some)];
  const next_of_some = some();

  await watched.folder.write({ "customers.csv": "x\n" });
  assertEquals(await all(), "event: failed");
  await watched.folder.write(exportsOf(2));
  assertEquals(await all(), "event: version");
  assertEquals(await next_of_some, "event: version");

  callers.use({ ...file, keys: file.keys.slice(0, 1) });
  const [next_of_all, end_of_some] = [all(), some()];
  await watched.folder.write(exportsOf(3));
  assertEquals(await next_of_all, "event: version");
  assertEquals(await end_of_some, undefined);
});
