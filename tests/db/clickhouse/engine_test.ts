/** A ClickHouse that takes questions and never answers: it is asked once at a time, counts as gone after a minute, and keeps no process from ending. */

import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { readConfig } from "../../../config.ts";
import { createServedStore } from "../../../create_store.ts";
import { ClickhouseEngine } from "../../../db/clickhouse/engine.ts";
import { createSlots, QuestionSlots } from "../../../db/serving/slots.ts";
import { dataFolder, namesIn } from "../../support/data_folder.ts";
import { until } from "../../support/until.ts";

const GONE =
  "ClickHouse does not answer (CLICKHOUSE_URL). Ask again in a moment.";
/** More than an end may take, and less than a limit of time of a statement. */
const LATE_MS = 8_000;

/** A ClickHouse whose tables are empty, until it hangs. */
function startClickHouse(
  { hangs = false, loader }: {
    readonly hangs?: boolean;
    /** The name of the loader that it has heard of. */
    readonly loader?: string;
  } = {},
) {
  const ended = new AbortController();
  const clickhouse = { asked: [] as string[], hangs };
  const http = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: ended.signal,
    onListen() {},
  }, async (request) => {
    const sql = new URL(request.url).searchParams.get("query") ??
      await request.text();
    clickhouse.asked.push(sql);
    if (clickhouse.hangs) await new Promise(() => {});
    return new Response(
      sql.includes("max(sequence)")
        ? "[0,0,0]\n"
        : loader !== undefined && sql.startsWith("select name from (")
        ? `["${loader}"]\n`
        : "",
    );
  });
  return Object.assign(clickhouse, {
    url: `http://127.0.0.1:${http.addr.port}`,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await http.finished;
    },
  });
}

/** Fails where a promise takes longer than an end may. */
async function endsInTime(end: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const { signal } = late;
  const ended = await Promise.race([
    end.then(() => true),
    delay(LATE_MS, false, { signal }).catch(() => false),
  ]);
  late.abort();
  assert(ended, `it goes on after ${LATE_MS} ms`);
}

/** Lets limits of time of up to a minute end a thousand times sooner. */
function hurried(): Disposable {
  const { setTimeout } = globalThis;
  const hurried = (then: () => void, ms = 0) =>
    setTimeout(then, ms > 60_000 ? ms : ms / 1_000);
  globalThis.setTimeout = hurried as typeof setTimeout;
  return {
    [Symbol.dispose]() {
      globalThis.setTimeout = setTimeout;
    },
  };
}

function loaderOf(url: string, { lease_ms }: { readonly lease_ms: number }) {
  const config = readConfig({});
  const logged: string[] = [];
  const engine = new ClickhouseEngine({
    server: { url, user: "tally", password: "" },
    place: { database: "tally", cluster: null },
    clean: () => Promise.reject(new Error("nothing is loaded")),
    name: "a loader",
    lease_ms,
    slots: createSlots(config),
    page_views: new QuestionSlots({ concurrency: 1, queue: 1 }),
    timeout_ms: 1_000,
    log: ({ text }) => logged.push(text),
  });
  return { engine, logged };
}

Deno.test("a loader asks a ClickHouse that hangs once at a time", async () => {
  await using clickhouse = startClickHouse({ hangs: true });
  const { engine } = loaderOf(clickhouse.url, { lease_ms: 30 });
  const ended = new AbortController();
  const opened = engine.open({ signal: ended.signal });
  await until(() => clickhouse.asked.length > 0);
  // Twenty looks at the lease.
  await delay(200);
  assertEquals(clickhouse.asked, ["create database if not exists `tally`"]);
  ended.abort();
  await endsInTime(opened);
  await endsInTime(engine.close());
});

Deno.test("a loader says after a minute that ClickHouse hangs", async () => {
  await using clickhouse = startClickHouse({ hangs: true });
  const { engine, logged } = loaderOf(clickhouse.url, { lease_ms: 30_000 });
  using _ = hurried();
  await endsInTime(engine.open());
  assertEquals(logged, [GONE]);
  await endsInTime(engine.close());
});

/** What a store has asked when it is ended. */
const ENDS: [
  name: string,
  ROLE: "loader" | "follower",
  clickhouse: Parameters<typeof startClickHouse>[0],
  asked: RegExp,
][] = [
  ["a loader, from the start", "loader", { hangs: true }, /^create database/],
  ["a loader that waits for another", "loader", { loader: "b" }, /holder/],
  ["a loader", "loader", {}, /^INSERT INTO `tally`.loaders/],
  ["a follower", "follower", { hangs: true }, /max\(sequence\)/],
];

Deno.test("a ClickHouse that hangs keeps no process from ending", async (t) => {
  for (const [name, ROLE, options, asked] of ENDS) {
    await t.step(name, async () => {
      await using clickhouse = startClickHouse(options);
      await using data = await dataFolder();
      await using staging = await dataFolder();
      const store = createServedStore(
        readConfig({
          STORE: "clickhouse",
          ROLE,
          CLICKHOUSE_URL: clickhouse.url,
          DATA_DIR: data.path,
          STAGING_DIR: staging.path,
          REFRESH_SECONDS: "1",
        }),
        { log() {} },
      );
      store.watch(() => {});
      await until(() => clickhouse.asked.some((sql) => asked.test(sql)));
      if (!clickhouse.hangs && !options?.loader) {
        // What it asks from now on.
        clickhouse.hangs = true;
        clickhouse.asked.length = 0;
        await until(() => clickhouse.asked.length > 0);
      }
      await endsInTime(store.stop());
      await endsInTime(store.close());
      assertEquals(await namesIn(staging.path), []);
    });
  }
});
