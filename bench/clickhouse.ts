/** Measures a load into ClickHouse and questions to a follower of it, beside a Tally on DuckDB with the same exports, in turns. */

// Needs wrk, and the library of trials/clickhouse/, which `deno task clickhouse` fetches.

import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startClickHouse } from "../trials/clickhouse/start_clickhouse.ts";
import { exportsToMeasure, readTopics } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  project_dir,
  readUsage,
  type Server,
  startServer,
  type Usage,
} from "./server.ts";
import { median, requireWrk, row, runWrk } from "./wrk.ts";

const turns = 3;
/** Askings of each question in a turn, of which the first is not counted. */
const askings = 6;
const usage_poll_ms = 20;
const customers_path = "/api/v1/interactions/";

/** Questions that take a query, by what they are called. */
const questions: readonly (readonly [title: string, path: string])[] = [
  ["interactions by month, channel", "metrics/interactions?by=month,channel"],
  ["interactions by occupation", "metrics/interactions?by=occupation"],
  [
    "interactions by type, channel, of a topic, with dates",
    "metrics/interactions?by=type,channel&topic=Orange&start_date=2020-02-01&end_date=2022-10-15",
  ],
  ["customers reached by month", "metrics/customers?by=month"],
  [
    "100 customers with most interactions",
    "interactions?sort=-total&limit=100",
  ],
  [
    "100 customers, filtered",
    "interactions?channel=Call&start_date=2021-01-01&end_date=2021-06-30&limit=100",
  ],
  ["a customer's timeline", "interactions/4711/timeline?interval=month"],
  ["10 customers whose occupation begins so", "customers?q=plu&limit=10"],
];

/** What a load took: of the process that loads, and of ClickHouse. */
interface LoadCost {
  readonly seconds: number;
  readonly loader: Usage;
  readonly clickhouse_cpu_seconds: number;
}

/** Runs `deno task load`, and looks at its process until it ends. */
async function measureLoad(
  dir: string,
  { settings, clickhouse_pid, signal }: {
    readonly settings: Readonly<Record<string, string>>;
    readonly clickhouse_pid: number;
    readonly signal: AbortSignal;
  },
): Promise<LoadCost> {
  const before = readUsage(clickhouse_pid);
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-P=load", "load.ts", dir],
    cwd: project_dir,
    env: { ...settings },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
    signal,
  }).spawn();
  let loader = readUsage(child.pid);
  let has_ended = false;
  const ended = child.status.finally(() => has_ended = true);
  while (!has_ended) {
    try {
      const usage = readUsage(child.pid);
      // Of one that has just ended there is no memory any more.
      if (usage.rss_peak_bytes > 0) loader = usage;
    } catch { /* It is gone. */ }
    await Promise.race([ended, delay(usage_poll_ms)]);
  }
  const { success } = await ended;
  if (!success) throw new Error("The load failed.");
  return {
    seconds: (performance.now() - began) / 1_000,
    loader,
    clickhouse_cpu_seconds: readUsage(clickhouse_pid).cpu_seconds -
      before.cpu_seconds,
  };
}

/** The time of an answer with status 200, in milliseconds. */
async function ask({ origin }: Server, path: string): Promise<number> {
  const began = performance.now();
  const answer = await fetch(`${origin}/api/v1/${path}`);
  const text = await answer.text();
  const ms = performance.now() - began;
  if (answer.status !== 200) {
    throw new Error(`${path}: ${answer.status} ${text}`);
  }
  return ms;
}

const gb = (bytes: number) => (bytes / 1e9).toFixed(2);

/** Collects figures by row and column, and shows their medians. */
class Figures {
  readonly #values = new Map<string, Map<string, number[]>>();

  add(title: string, cells: Readonly<Record<string, number>>): void {
    const columns = this.#values.get(title) ?? new Map<string, number[]>();
    this.#values.set(title, columns);
    for (const [column, value] of Object.entries(cells)) {
      columns.set(column, [...columns.get(column) ?? [], value]);
    }
  }

  print(head: string, digits: number): void {
    const columns = [
      ...new Set([...this.#values.values()].flatMap((one) => [...one.keys()])),
    ];
    console.log("\n" + row(head, ...columns));
    console.log(row("---", ...columns.map(() => "---:")));
    for (const [title, cells] of this.#values) {
      console.log(row(
        title,
        ...columns.map((column) => {
          const values = cells.get(column);
          if (!values) return "";
          const middle = median(values).toFixed(digits);
          return values.length < 2
            ? middle
            : `${middle} (${Math.min(...values).toFixed(digits)}..${
              Math.max(...values).toFixed(digits)
            })`;
        }),
      ));
    }
  }
}

const { values } = parseArgs({ options: { data: { type: "string" } } });
await requireWrk();
const signal = listenForStop();
await using temp = await makeTempFolder();
const dir = await exportsToMeasure(values.data, {
  made: `${temp.path}/exports`,
});

/** Of page views, whether each has dates and a topic, and how many are asked at once. */
const page_views = [
  { title: "a customer", topics: [] },
  { title: "with dates and topic", topics: await readTopics(dir) },
].flatMap(({ title, topics }) =>
  [1, 16].map((connections) => ({
    title: `${title}, ${connections} at once`,
    topics,
    connections,
  }))
);

const loads = new Figures();
const views = new Figures();
const answers = new Figures();
const tables = new Figures();

for (let turn = 1; turn <= turns; turn++) {
  const path = `${temp.path}/clickhouse-${turn}`;
  await Deno.mkdir(path);
  await using clickhouse = await startClickHouse({ path });
  const { url, user, password } = clickhouse;
  const settings = {
    STORE: "clickhouse",
    CLICKHOUSE_URL: url,
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: password,
    CACHE_BYTES: "0",
    QUERY_TIMEOUT_MS: "60000",
  };
  const query = async (sql: string) => {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "X-ClickHouse-User": user, "X-ClickHouse-Key": password },
      body: sql,
    });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.text()).trim();
  };
  const load = await measureLoad(dir, {
    settings,
    clickhouse_pid: clickhouse.child.pid,
    signal,
  });
  await using follower = startServer("main.ts", { env: settings, signal });
  const follower_seconds = await follower.waitForReady();
  await using duckdb = startServer("main.ts", {
    env: { DATA_DIR: dir, CACHE_BYTES: "0", QUERY_TIMEOUT_MS: "60000" },
    signal,
  });
  const duckdb_seconds = await duckdb.waitForReady();
  const { cpu_seconds, rss_peak_bytes } = duckdb.readUsage();
  loads.add("ClickHouse: deno task load", {
    "wall (s)": load.seconds,
    "CPU (s)": load.loader.cpu_seconds,
    "CPU of ClickHouse (s)": load.clickhouse_cpu_seconds,
    "RSS peak (GB)": load.loader.rss_peak_bytes / 1e9,
  });
  loads.add("ClickHouse: a follower, until ready", {
    "wall (s)": follower_seconds,
    "RSS peak (GB)": follower.readUsage().rss_peak_bytes / 1e9,
  });
  loads.add("DuckDB: a server, until ready", {
    "wall (s)": duckdb_seconds,
    "CPU (s)": cpu_seconds,
    "RSS peak (GB)": rss_peak_bytes / 1e9,
  });

  const stores = { ClickHouse: follower, DuckDB: duckdb };
  const stats = await fetch(`${duckdb.origin}/api/v1/stats/customers`);
  const customers: number = (await stats.json()).rows;
  for (const { title, ...asked } of page_views) {
    const cells: Record<string, number> = {};
    for (const [name, server] of Object.entries(stores)) {
      const load = { before: customers_path, customers, ...asked, signal };
      await runWrk({ server }, { ...load, seed: 0 });
      const round = await runWrk({ server }, {
        ...load,
        seconds: 4,
        seed: turn,
      });
      cells[`${name} (requests/s)`] = round.requests / round.duration_us * 1e6;
      cells[`${name} p50 (ms)`] = round.p50_us / 1_000;
      cells[`${name} p99 (ms)`] = round.p99_us / 1_000;
    }
    views.add(title, cells);
  }
  for (const [title, path] of questions) {
    const times: Record<string, number[]> = {};
    for (let asking = 0; asking < askings; asking++) {
      for (const [name, server] of Object.entries(stores)) {
        const ms = await ask(server, path);
        if (asking > 0) (times[name] ??= []).push(ms);
      }
    }
    const clickhouse_ms = median(times.ClickHouse);
    const duckdb_ms = median(times.DuckDB);
    answers.add(title, {
      "ClickHouse (ms)": clickhouse_ms,
      "DuckDB (ms)": duckdb_ms,
      "ratio": clickhouse_ms / duckdb_ms,
    });
  }

  const database = await query(
    "select max(name) from system.databases where name like 'tally\\_%'",
  );
  for (const table of ["interactions", "customers", "daily"]) {
    // As they are when merges in the background have ended.
    await query(`optimize table ${database}.${table} final`);
  }
  const rows = await query(
    `select table, sum(rows), sum(bytes_on_disk),
       sum(primary_key_bytes_in_memory)
     from system.parts where active and database = '${database}'
     group by table order by 3 desc format TSV`,
  );
  for (const line of rows.split("\n")) {
    const [table, rows, bytes, key_bytes] = line.split("\t");
    if (turn > 1) continue;
    tables.add(table, {
      "rows": Number(rows),
      "bytes": Number(bytes),
      "bytes a row": Number(bytes) / Number(rows),
      "bytes of its index in memory": Number(key_bytes),
    });
  }
  console.error(
    `turn ${turn}/${turns}: load ${load.seconds.toFixed(1)} s; RSS after it ` +
      `all: follower ${gb(follower.readUsage().rss_bytes)} GB, DuckDB's ` +
      `server ${gb(duckdb.readUsage().rss_bytes)} GB, ClickHouse ` +
      `${gb(readUsage(clickhouse.child.pid).rss_bytes)} GB`,
  );
}

console.log(
  `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; ` +
    `ClickHouse 26.7 as a library beside DuckDB; medians (min..max) of ` +
    `${turns} turns; CACHE_BYTES=0`,
);
loads.print("Load", 2);
views.print("Page view", 2);
answers.print("Question", 1);
tables.print("Table", 2);
