/** The life of versions in ClickHouse: loads that are cut off, two loaders, readers of what is dropped, and what a question costs. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { readConfig } from "../../config.ts";
import {
  createEngine,
  createServedStore,
  loadSettings,
} from "../../create_store.ts";
import { ClickhouseEngine } from "../../db/clickhouse/engine.ts";
import { JournalTable } from "../../db/clickhouse/journal_table.ts";
import { ClickhouseServer } from "../../db/clickhouse/server.ts";
import type { ClickhouseSnapshot } from "../../db/clickhouse/snapshot.ts";
import { createClean } from "../../db/duckdb/clean.ts";
import type { Clean } from "../../db/cleaned.ts";
import { StoreError } from "../../db/model/problems.ts";
import type { Question } from "../../db/model/questions.ts";
import { Pressure } from "../../db/serving/pressure.ts";
import { createSlots, QuestionSlots } from "../../db/serving/slots.ts";
import {
  dataFolder,
  type Files,
  namesIn,
} from "../../tests/support/data_folder.ts";
import { until } from "../../tests/support/until.ts";
import { exportsOf } from "../../tests/support/watched_store.ts";
import { suiteClickHouse } from "./start_clickhouse.ts";
import { createVersionBuilder } from "./version_builder.ts";

const clickhouse = await suiteClickHouse();
addEventListener("unload", () => clickhouse.child?.kill());
const { url, user, password } = clickhouse;
const server = new ClickhouseServer({ url, user, password });
let databases = 0;
const newDatabase = () => `life_${Deno.pid}_${++databases}`;

const config = readConfig({});
const pressure = new Pressure({ limit_bytes: null, log() {} });
const clean = createClean({
  ...loadSettings(config),
  memory_limit: "300MB",
  threads: 1,
  pressure,
});

interface Loader extends AsyncDisposable {
  readonly engine: ClickhouseEngine;
  readonly logged: string[];
  build(files: Files): Promise<ClickhouseSnapshot>;
}

/** An engine that loads into `database`. */
async function openLoader(
  database: string,
  { lease_ms, cleaning = clean, at = url }: {
    readonly lease_ms?: number;
    /** Null in an engine that follows. */
    readonly cleaning?: Clean | null;
    /** The URL that it asks. */
    readonly at?: string;
  } = {},
): Promise<Loader> {
  const logged: string[] = [];
  const engine = new ClickhouseEngine({
    server: { url: at, user, password },
    place: { database, cluster: null },
    clean: cleaning,
    name: "a loader",
    lease_ms,
    slots: createSlots(config),
    page_views: new QuestionSlots({ concurrency: 4, queue: 10 }),
    timeout_ms: 2_000,
    log: ({ text }) => logged.push(text),
  });
  const builder = await createVersionBuilder(engine);
  return {
    ...builder,
    engine,
    logged,
    build: async (files) => await builder.build(files) as ClickhouseSnapshot,
  };
}

async function versionsOf(database: string): Promise<string[]> {
  const rows = await server.rows({
    sql:
      "select name from system.databases where startsWith(name, {prefix:String}) order by name",
    params: { prefix: `${database}_` },
  });
  return rows.map(([name]) => name as string);
}

async function rowsOf(
  snapshot: ClickhouseSnapshot,
  question: Question,
): Promise<unknown[]> {
  const { signal } = new AbortController();
  using run = await snapshot.begin({ signal, ends_at_ms: Infinity });
  return await Array.fromAsync(snapshot.ask(question, run).batches);
}

Deno.test("a load that is cut off anywhere leaves the version before, and the next one cleans up", async () => {
  const database = newDatabase();
  await using loader = await openLoader(database);
  await loader.engine.open();
  const served = await loader.build(exportsOf(5));
  await loader.engine.archive.keep(served);
  const [kept] = await versionsOf(database);
  // Each piece, and each look at the sums, is a place at which a process may die.
  for (const dies_at of ["pieces", "sumsOf"] as const) {
    for (const after of [0, 1, 3]) {
      const dying: Clean = async (exports, options) => {
        const cleaned = await clean(exports, options);
        let left = after;
        const die = () => {
          if (left-- <= 0) throw new Error("died");
        };
        return {
          ...cleaned,
          async *pieces() {
            for await (const piece of cleaned.pieces()) {
              if (dies_at === "pieces") die();
              yield piece;
            }
          },
          sumsOf(table) {
            if (dies_at === "sumsOf") die();
            return cleaned.sumsOf(table);
          },
        };
      };
      await using other = await openLoader(`${database}`, { cleaning: dying });
      // It is the loader, and leaves what it has made as a killed one does.
      await loader.engine.close();
      await other.engine.open();
      await assertRejects(() => other.build(exportsOf(6)), Error, "died");
      const [first] = await other.engine.archive.kept();
      assertEquals(first.name, kept);
    }
  }
  await using last = await openLoader(database);
  await server.run({
    sql: `create database \`${database}_00000099_${"0".repeat(16)}\``,
  });
  await last.engine.open();
  assertEquals(await versionsOf(database), [kept]);
});

Deno.test("rows that ClickHouse lacks are noticed before the version is served", async () => {
  const database = newDatabase();
  for (const table of ["interactions", "customers", "kinds"] as const) {
    const cleaning: Clean = async (exports, options) => {
      const cleaned = await clean(exports, options);
      return {
        ...cleaned,
        async sumsOf(asked) {
          const sums = await cleaned.sumsOf(asked);
          return asked === table ? { ...sums, checksum: "1" } : sums;
        },
      };
    };
    await using loader = await openLoader(database, { cleaning });
    await loader.engine.open();
    const error = await assertRejects(() => loader.build(exportsOf(5)), Error);
    assertMatch(
      error.message,
      RegExp(`${table} in ClickHouse: the checksum is`),
    );
    assertEquals(await loader.engine.archive.kept(), []);
  }
});

Deno.test("one loader at a time: of two that come at once, after one that died, and never two", async () => {
  const database = newDatabase();
  const lease_ms = 10_000;
  await using first = await openLoader(database, { lease_ms });
  await using second = await openLoader(database, { lease_ms });
  const results = await Promise.allSettled([
    first.engine.open(),
    second.engine.open(),
  ]);
  assertEquals(
    results.map(({ status }) => status).sort(),
    ["fulfilled", "rejected"],
  );
  const [loads, refused] = results[0].status === "fulfilled"
    ? [first, second]
    : [second, first];
  assert(loads.engine.archive.is_ours && !refused.engine.archive.is_ours);
  await assertRejects(() => refused.build(exportsOf(1)), StoreError);
  // It keeps its lease for longer than one lasts.
  await delay(2 * lease_ms);
  assertEquals(await refused.engine.archive.claim(), "locked");
  await loads.engine.close();
  assertEquals(await refused.engine.archive.claim(), "taken");
});

Deno.test("a comparison ends with the work that it is for", async () => {
  await using loader = await openLoader(newDatabase());
  await loader.engine.open();
  const previous = await loader.build(exportsOf(5));
  const next = await loader.build(exportsOf(6));
  const ended = new AbortController();
  const reason = new Error("a refresh comes first");
  ended.abort(reason);
  const { signal } = ended;
  assertEquals(
    await assertRejects(() =>
      loader.engine.compare(previous, next, { signal })
    ),
    reason,
  );
  await previous.close();
  await next.close();
});

Deno.test("a reader of a version that is gone is told to ask again", async () => {
  const database = newDatabase();
  await using loader = await openLoader(database);
  await loader.engine.open();
  const snapshot = await loader.build(exportsOf(5));
  await server.run({ sql: `drop database \`${snapshot.version.database}\`` });
  for (
    const ask of [
      () => rowsOf(snapshot, { kind: "metrics", by: ["channel"], filter: {} }),
      () => Promise.resolve(snapshot.countByChannel({ customer_id: 1 })),
    ]
  ) {
    const { kind, retry_seconds } = await assertRejects(ask, StoreError);
    assertEquals([kind, retry_seconds], ["busy", 1]);
  }
  await snapshot.close();
});

Deno.test("a page view reads at most two granules of a table", async () => {
  await using loader = await openLoader(newDatabase());
  await loader.engine.open();
  const customers = 3_000;
  const rows = Array.from(
    { length: 40_000 },
    (_, i) => `0${1 + i % 9}/01/2020,Email,${1 + i % customers}\n`,
  );
  const snapshot = await loader.build({
    "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n",
    "interactions.csv": "Date Start,Interaction,Customers\n" + rows.join(""),
    "products.csv": "Month,Product\n1-2020,Sand\n",
  });
  for (const customer_id of [1, 1_024, customers]) {
    for (
      const filter of [{}, {
        start_date: "2020-01-02",
        topics: ["Sand", null],
      }]
    ) {
      const { text } = await snapshot.explain({ customer_id, ...filter });
      const plan = await server.rows({ sql: `explain indexes = 1 ${text}` });
      const lines = plan.map(([line]) => String(line).trim());
      const read = lines.flatMap((line) =>
        /^Granules: (\d+)\/\d+$/.exec(line)?.[1] ?? []
      );
      assert(read.length > 0, lines.join("\n"));
      for (const granules of read) {
        assert(Number(granules) <= 2, lines.join("\n"));
      }
    }
  }
  await snapshot.close();
});

Deno.test("a question that is cancelled ends in ClickHouse too", async () => {
  const ended = new AbortController();
  const sql = "select sum(cityHash64(number)) from numbers(1000000000000)";
  const running = async () => {
    const [[count]] = await server.rows({
      sql:
        "select count() from system.processes where position(query, 'numbers(1000000000000)') > 0 and position(query, 'system.processes') = 0",
    });
    return count as number;
  };
  const reading = Array.fromAsync(server.query({ sql, signal: ended.signal }));
  await until(async () => await running() === 1);
  const reason = new Error("nobody waits");
  ended.abort(reason);
  assertEquals(await assertRejects(() => reading), reason);
  await until(async () => await running() === 0);
});

Deno.test("a filter of five thousand ids, longer than a URL should be", async () => {
  await using loader = await openLoader(newDatabase());
  await loader.engine.open();
  const snapshot = await loader.build(exportsOf(5));
  const customer_ids = Array.from(
    { length: 5_000 },
    (_, i) => Number.MAX_SAFE_INTEGER - i,
  );
  const [[row]] = await rowsOf(snapshot, {
    kind: "metrics",
    by: [],
    filter: { customer_ids: [...customer_ids, 1] },
  }) as unknown[][];
  assertEquals(row, [5]);
  await snapshot.close();
});

Deno.test("a follower makes nothing, also no database", async () => {
  const database = newDatabase();
  const engine = createEngine(readConfig({
    STORE: "clickhouse",
    CLICKHOUSE_URL: url,
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: password,
    CLICKHOUSE_DATABASE: database,
  }));
  await engine.open();
  const archive = engine.archive!;
  assertEquals(await archive.claim(), "locked");
  assertEquals([await archive.kept(), await archive.discarded()], [[], []]);
  await engine.close();
  const rows = await server.rows({
    sql: "select 1 from system.databases where name = {database:String}",
    params: { database },
  });
  assertEquals(rows, []);
});

Deno.test("the journal stays short, and says the same", async () => {
  const place = { database: newDatabase(), cluster: null };
  const journal = new JournalTable(server, {
    place,
    lease: { is_loader: true, name: "a loader", lease_ms: 1_000 },
  });
  await journal.create();
  const sent = await journal.send({ type: "discard", data_version: "v1" });
  await journal.append("answered", { version: sent });
  await journal.append("answered", { version: "one that is gone" });
  for (let i = 1; i <= 5; i++) {
    const version = `v${i}`;
    await journal.append("published", { version, payload: "{}" });
    if (i > 1) await journal.append("dropped", { version: `v${i - 1}` });
    await journal.append("discarded", { payload: `["${version}"]` });
    await journal.append("held", { payload: `"${version}"` });
  }
  const before = await journal.state();
  await journal.prune(3_600);
  assertEquals(await journal.state(), before);
  await journal.prune(0);
  const again = new JournalTable(server, {
    place,
    lease: { is_loader: false, name: "a follower", lease_ms: 1_000 },
  });
  assertEquals(await again.state(), before);
  assertEquals((await again.state()).discarded, ["v5"]);
  // The answer to a decision that is there keeps it from being carried out again.
  assertEquals(await journal.sent(), []);
  const [[rows]] = await server.rows({
    sql: `select count() from \`${place.database}\`.journal`,
  });
  assertEquals(rows, 4);
  // Those that are gone are in no file that is read, whatever a reader may set.
  const [[masked]] = await server.rows({
    sql: `select count() from \`${place.database}\`.journal`,
    settings: { apply_deleted_mask: 0 },
  });
  assertEquals(masked, 4);
  await journal.append("dropped", { version: "v5" });
  assertEquals((await again.state()).kept, []);

  // As after a loss of all data.
  await server.run({ sql: `drop database \`${place.database}\` sync` });
  assertEquals((await again.state()).sequence, 0);
  await journal.create();
  await journal.append("published", { version: "v6", payload: "{}" });
  const made_anew = [{ version: "v6", data_version: "", stored: null }];
  assertEquals((await journal.state()).kept, made_anew);
  assertEquals((await again.state()).kept, made_anew);
});

Deno.test("a version of another build is logged once, not at each look", async () => {
  const database = newDatabase();
  const journal = new JournalTable(server, {
    place: { database, cluster: null },
    lease: { is_loader: true, name: "a loader", lease_ms: 1_000 },
  });
  await journal.create();
  await using follower = await openLoader(database, { cleaning: null });
  const look = async () => {
    assertEquals(await follower.engine.archive.kept(), []);
    return follower.logged.splice(0);
  };
  const publish = (version: string) =>
    journal.append("published", { version, payload: "{}" });
  const passedOver = (version: string) =>
    `CLICKHOUSE_DATABASE="${database}": ${version} is passed over: another version of this program wrote it`;
  await publish("v1");
  assertEquals(await look(), [passedOver("v1")]);
  assertEquals(await look(), []);
  await publish("v2");
  assertEquals(await look(), [passedOver("v2")]);
  // What is gone is news when it comes back.
  await journal.append("dropped", { version: "v1" });
  assertEquals(await look(), []);
  await publish("v1");
  assertEquals(await look(), [passedOver("v1")]);
});

/** Stands before ClickHouse, which is asked what `change` makes of a text. */
function startFront(change: (sql: string) => string) {
  const front = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const answer = await fetch(`${url}/${new URL(request.url).search}`, {
        method: request.method,
        headers: {
          Authorization: request.headers.get("Authorization") ?? "",
          "Content-Type": request.headers.get("Content-Type") ?? "",
        },
        body: change(await request.text()),
      });
      const code = answer.headers.get("X-ClickHouse-Exception-Code");
      return new Response(answer.body, {
        status: answer.status,
        ...code !== null &&
          { headers: { "X-ClickHouse-Exception-Code": code } },
      });
    },
  );
  return {
    url: `http://127.0.0.1:${front.addr.port}`,
    [Symbol.asyncDispose]: () => front[Symbol.asyncDispose](),
  };
}

Deno.test("a follower whose replicas come late by turns passes over nothing, and never goes back", async (t) => {
  const database = newDatabase();
  await using loader = await openLoader(database);
  await loader.engine.open();
  const { archive } = loader.engine;
  await archive.keep(await loader.build(exportsOf(5)));
  const late = `late_${database}`;
  await server.run({ sql: `create database \`${late}\`` });
  await server.run({
    sql: `create table \`${late}\`.journal clone as \`${database}\`.journal`,
  });
  await archive.keep(await loader.build(exportsOf(6)));
  const [served] = await archive.kept();
  /** The request that the late replica answers, counted from 1; 0 for none. */
  let lags_at = 0;
  let asked = 0;
  await using front = startFront((sql) =>
    ++asked === lags_at ? sql.replaceAll(database, late) : sql
  );
  const lag = (number: number) => [lags_at, asked] = [number, 0];
  // A look has fewer requests than this.
  for (let number = 1; number <= 8; number++) {
    await t.step(`request ${number} of a look`, async () => {
      await archive.markDiscarded([`before ${number}`]);
      await using follower = await openLoader(database, {
        cleaning: null,
        at: front.url,
      });
      const look = async () => {
        const [latest] = await follower.engine.archive.kept();
        const discarded = await follower.engine.archive.discarded();
        return { latest: latest?.name, discarded };
      };
      lag(number);
      await look();
      lag(0);
      assertEquals(await look(), {
        latest: served.name,
        discarded: [`before ${number}`],
      });

      await archive.markDiscarded([`after ${number}`]);
      lag(number);
      assertEquals((await look()).latest, served.name);
      lag(0);
      assertEquals((await look()).discarded, [`after ${number}`]);
      assertEquals(follower.logged, []);
    });
  }
});

Deno.test("a follower that is closed while it is sent a decision answers that, and opens nothing more", async (t) => {
  for (const closes of ["before the answer", "while it opens a version"]) {
    await t.step(closes, async () => {
      const database = newDatabase();
      await using staging = await dataFolder();
      await using loader = await openLoader(database);
      await loader.engine.open();
      const { archive } = loader.engine;
      const first = await loader.build(exportsOf(5));
      await archive.keep(first);
      let close_at = /$^/;
      let closed: Promise<void> | undefined;
      await using front = startFront((sql) => {
        if (close_at.test(sql)) closed ??= follower.close();
        return sql;
      });
      const logged: string[] = [];
      const follower = createServedStore(
        readConfig({
          STORE: "clickhouse",
          CLICKHOUSE_URL: front.url,
          CLICKHOUSE_USER: user,
          CLICKHOUSE_PASSWORD: password,
          CLICKHOUSE_DATABASE: database,
          STAGING_DIR: staging.path,
          // It looks once, and after the decision.
          REFRESH_SECONDS: "86400",
        }),
        { log: ({ text }) => logged.push(text) },
      );
      follower.watch(() => {});
      await until(() => follower.snapshot !== null);

      const next = await loader.build(exportsOf(6));
      const accepted = follower.refreshes.accept(next.data_version);
      const sentNow = () => archive.shared!.sent();
      await until(async () => (await sentNow()).length > 0);
      const [sent] = await sentNow();
      await archive.keep(next);
      if (closes === "before the answer") closed = follower.close();
      else close_at = /system\.databases/;
      await closed;
      await archive.shared!.answer(sent, null);
      await accepted;
      await closed;
      assertEquals(follower.snapshot, null);
      assertEquals([await namesIn(staging.path), logged], [[], []]);
      await first.close();
      await next.close();
    });
  }
});
