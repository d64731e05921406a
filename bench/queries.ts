/** Measures the questions of dashboards and lists, cold, beside plain SQL over the raw tables, and what the rollups cost. */

import { join } from "node:path";
import { cpuUsage } from "node:process";
import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { type Database, openDatabase } from "../db/duckdb/database.ts";
import { FileHashes } from "../db/intake/file_hashes.ts";
import { listExports } from "../db/intake/find_files.ts";
import { findExports } from "../db/intake/find_tables.ts";
import { StagedExports } from "../db/intake/staging.ts";
import { loadSettings, stagingSettings } from "../create_store.ts";
import { loadExports } from "../db/duckdb/load.ts";
import { QueryRunner } from "../db/duckdb/query_runner.ts";
import { buildQueryTables } from "../db/duckdb/query_tables.ts";
import type { Loaded } from "../db/model/report.ts";
import { ROLLUPS } from "../db/model/dimensions.ts";
import type { Run } from "../db/model/run.ts";
import { createSlots } from "../db/serving/slots.ts";
import { readConstant } from "./constant.ts";
import { exportsToMeasure } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  type Server,
  startConstant,
  startServer,
} from "./server.ts";
import { median } from "./wrk.ts";

const warm_up_rounds = 2;
const build_seconds_target = 0.5;
const ratio_target = 0.60;
const download_seconds_target = 4;
const download_mb_target = 200;
const wrk_rounds = 7;

interface Question {
  title: string;
  path: string;
  /** The query string of the asking of that number: each is another question. */
  query: (asking: number) => string;
  target_ms: number;
  /** What answers it from the tables of a load alone. */
  raw: string;
}

// A first day before all data changes the question and not the answer.
const early = (asking: number) =>
  `start_date=19${String(asking).padStart(2, "0")}-01-01`;

const by_type = "join customers using (customer_id)";

// Of the customers reached; plain SQL counts them without the sort order.
function reached(
  title: string,
  { by, target_ms, raw }: { by?: string; target_ms: number; raw: string },
): Question {
  return {
    title: `customers reached, ${title}`,
    path: "/api/v1/metrics/customers",
    query: (asking) => `${by ? `by=${by}&` : ""}${early(asking)}`,
    target_ms,
    raw,
  };
}

const questions: Question[] = [
  reached("in all", {
    target_ms: 500,
    raw: "select count(distinct customer_id) from interactions",
  }),
  reached("channel", {
    by: "channel",
    target_ms: 500,
    raw:
      "select channel, count(distinct customer_id) from interactions group by all order by all",
  }),
  reached("type", {
    by: "type",
    target_ms: 500,
    raw:
      `select type, count(distinct customer_id) from interactions ${by_type} group by all order by all`,
  }),
  reached("occupation", {
    by: "occupation",
    target_ms: 500,
    raw:
      `select occupation, count(distinct customer_id) from interactions ${by_type} group by all order by all`,
  }),
  ...["day", "week", "month", "quarter", "year"].map((by) =>
    reached(by, {
      by,
      target_ms: 1000,
      raw:
        `select date_trunc('${by}', date_start), count(distinct customer_id) from interactions group by all order by all`,
    })
  ),
  reached("topic", {
    by: "topic",
    target_ms: 1000,
    raw:
      "select topic_code, count(distinct customer_id) from interactions join (select topic_set, unnest(topic_codes) as topic_code from topic_sets) using (topic_set) group by all order by all",
  }),
  {
    title: "day, channel",
    path: "/api/v1/metrics/interactions",
    query: (asking) => `by=day&pivot=channel&${early(asking)}`,
    target_ms: 30,
    raw:
      "select date_start::date, channel, count(*) from interactions group by all order by all",
  },
  {
    title: "month, type",
    path: "/api/v1/metrics/interactions",
    query: (asking) => `by=month,type&${early(asking)}`,
    target_ms: 30,
    raw:
      `select date_trunc('month', date_start), type, count(*) from interactions ${by_type} group by all order by all`,
  },
  {
    title: "week, topic",
    path: "/api/v1/metrics/interactions",
    query: (asking) => `by=week,topic&${early(asking)}`,
    target_ms: 30,
    raw:
      "select date_trunc('week', date_start), topic_code, count(*) from interactions join (select topic_set, unnest(topic_codes) as topic_code from topic_sets) using (topic_set) group by all order by all",
  },
  {
    title: "channel, type",
    path: "/api/v1/metrics/interactions",
    query: (asking) => `by=channel&pivot=type&${early(asking)}`,
    target_ms: 30,
    raw:
      `select channel, type, count(*) from interactions ${by_type} group by all order by all`,
  },
  {
    title: "channel, topic",
    path: "/api/v1/metrics/interactions",
    query: (asking) => `by=channel&pivot=topic&${early(asking)}`,
    target_ms: 30,
    raw:
      "select channel, topic_code, count(*) from interactions join (select topic_set, unnest(topic_codes) as topic_code from topic_sets) using (topic_set) group by all order by all",
  },
  {
    title: "occupation, channel",
    path: "/api/v1/metrics/interactions",
    query: (asking) => `by=occupation&pivot=channel&${early(asking)}`,
    target_ms: 100,
    raw:
      `select occupation, channel, count(*) from interactions ${by_type} group by all order by all`,
  },
  {
    title: "occupation, day",
    path: "/api/v1/metrics/interactions",
    query: (asking) => `by=occupation,day&${early(asking)}`,
    target_ms: 100,
    raw:
      `select occupation, date_start::date, count(*) from interactions ${by_type} group by all order by all`,
  },
  {
    title: "1,000 customers by total",
    path: "/api/v1/interactions",
    query: (asking) => `sort=-total&limit=${1000 - asking}`,
    target_ms: 40,
    raw:
      "select customer_id, channel, count(*) from interactions where customer_id in (select customer_id from interactions group by customer_id order by count(*) desc, customer_id limit 1000) group by all",
  },
  {
    title: "1,000 customers by total, two years",
    path: "/api/v1/interactions",
    query: (asking) =>
      `sort=-total&limit=${
        1000 - asking
      }&start_date=2020-01-01&end_date=2021-12-31`,
    target_ms: 400,
    raw:
      "select customer_id, channel, count(*) from interactions where date_start >= '2020-01-01' and date_start < '2022-01-01' and customer_id in (select customer_id from interactions where date_start >= '2020-01-01' and date_start < '2022-01-01' group by customer_id order by count(*) desc, customer_id limit 1000) group by all",
  },
  {
    title: "timeline of a customer",
    path: "/api/v1/interactions/500000/timeline",
    query: (asking) => `interval=month&end_date=2023-12-${10 + asking % 20}`,
    target_ms: 30,
    raw:
      "select date_trunc('month', date_start), channel, count(*) from interactions where customer_id = 500000 group by all order by all",
  },
];

async function timed(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await action();
  return performance.now() - began;
}

/** The text of an answer; fails on any other status than 200. */
async function get(url: string): Promise<Response> {
  const response = await fetch(url);
  if (response.status === 200) return response;
  throw new Error(`${url} gave ${response.status}: ${await response.text()}`);
}

async function measureQuestion(
  { title, path, query, target_ms, raw }: Question,
  { server, runner, rounds, run }: {
    readonly server: Server;
    readonly runner: QueryRunner;
    readonly rounds: number;
    readonly run: Run;
  },
): Promise<string> {
  const cold: number[] = [];
  const plain: number[] = [];
  let cold_cpu_ms = 0;
  let plain_cpu_ms = 0;
  for (let round = 0; round < rounds + warm_up_rounds; round++) {
    const url = `${server.origin}${path}?${query(round)}`;
    const server_seconds = server.readUsage().cpu_seconds;
    const cold_ms = await timed(async () => await (await get(url)).text());
    const used_seconds = server.readUsage().cpu_seconds - server_seconds;
    const own = cpuUsage();
    const plain_ms = await timed(() =>
      Array.fromAsync(runner.query(raw, { values: {}, run }))
    );
    const { user, system } = cpuUsage(own);
    if (round < warm_up_rounds) continue;
    cold.push(cold_ms);
    plain.push(plain_ms);
    cold_cpu_ms += used_seconds * 1000;
    plain_cpu_ms += (user + system) / 1000;
  }
  const cells = [
    title,
    formatFigure(median(cold), {
      digits: 1,
      target: `≤ ${target_ms}`,
      met: median(cold) <= target_ms,
    }),
    (cold_cpu_ms / rounds).toFixed(0),
    median(plain).toFixed(1),
    (plain_cpu_ms / rounds).toFixed(0),
    (median(plain) / median(cold)).toFixed(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

function formatFigure(
  figure: number,
  { digits, target, met }: {
    readonly digits: number;
    readonly target: string;
    readonly met: boolean;
  },
): string {
  return `${figure.toFixed(digits)} (${target}${met ? "" : ", **missed**"})`;
}

/** What the tables that questions are answered from add to a load. */
async function measureTables(database: Database, loaded: Loaded) {
  // The file keeps what the load's own tables have left; used blocks tell.
  const bytes = async () => {
    await database.run("checkpoint");
    const [{ block_size, used_blocks }] = await database.run(
      "pragma database_size",
    );
    return Number(block_size) * Number(used_blocks);
  };
  const before = await bytes();
  const own = cpuUsage();
  const seconds_of = new Map<string, number>();
  const seconds = await timed(() =>
    buildQueryTables({
      ...database,
      async run(sql, values) {
        const began = performance.now();
        const rows = await database.run(sql, values);
        const [, table] = sql.match(/^create table (\w+) as/m) ?? [];
        seconds_of.set(table, (performance.now() - began) / 1000);
        return rows;
      },
    }, loaded)
  ) / 1000;
  const { user, system } = cpuUsage(own);
  const after = await bytes();
  const [{ daily, by_record }] = await database.run(
    `select (select count(*)::integer from daily) as daily,
      (select count(*)::integer from daily_by_record) as by_record`,
  );
  const rollups = ROLLUPS.reduce(
    (sum, name) => sum + seconds_of.get(name)!,
    0,
  );
  const figure = formatFigure(rollups, {
    digits: 2,
    target: `≤ ${build_seconds_target}`,
    met: rollups <= build_seconds_target,
  });
  return `The rollups: built in ${figure} s. All tables for the questions: ` +
    `${seconds.toFixed(2)} s, ` +
    `${((user + system) / 1e6).toFixed(2)} s of CPU, ` +
    `${((after - before) / 1e6).toFixed(1)} MB of the database; ` +
    `${daily} rows a day, ${by_record} with the occupation.`;
}

async function wrk(url: string, headers: string[]): Promise<number> {
  const { stdout } = await new Deno.Command("wrk", {
    args: [
      "--threads=1",
      "--connections=32",
      "--duration=1s",
      ...headers.flatMap((header) => ["--header", header]),
      url,
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? [];
  if (!rate || /Non-2xx or 3xx|Socket errors/.test(text)) {
    throw new Error(`wrk failed on ${url}: ${text}`);
  }
  return Number(rate);
}

/** Requests a second of an answer that the client or the server has already. */
async function measureKnown(server: Server, signal: AbortSignal) {
  const url = `${server.origin}/api/v1/metrics/interactions?by=type,channel`;
  const answer = await readConstant(url, {
    route: "/api/v1/interactions/:customer_id",
  });
  await using constant = await startConstant(answer, { signal });
  const known = [`If-None-Match: ${answer.headers["etag"]}`];
  const lines: string[] = [];
  for (
    const [title, sent] of [["304", known], ["cached", []]] as const
  ) {
    const ratios: number[] = [];
    for (let round = 0; round < wrk_rounds + warm_up_rounds; round++) {
      const real = await wrk(url, [...sent]);
      const yardstick = await wrk(
        `${constant.origin}/api/v1/interactions/1`,
        [...sent],
      );
      if (round >= warm_up_rounds) ratios.push(real / yardstick);
    }
    const ratio = median(ratios);
    lines.push(
      `| ${title} | ${
        formatFigure(ratio, {
          digits: 2,
          target: `≥ ${ratio_target.toFixed(2)}`,
          met: ratio >= ratio_target,
        })
      } |`,
    );
  }
  return lines;
}

/** The download of every customer, and how much memory it takes meanwhile. */
async function measureDownload(server: Server): Promise<string> {
  const before = server.readUsage().rss_bytes;
  let peak = before;
  let rows = -1;
  const seconds = await timed(async () => {
    const response = await get(
      `${server.origin}/api/v1/interactions?format=csv`,
    );
    for await (const bytes of response.body!) {
      for (const byte of bytes) if (byte === 0x0a) rows++;
      peak = Math.max(peak, server.readUsage().rss_bytes);
    }
  }) / 1000;
  const grown_mb = (peak - before) / 1e6;
  const time = formatFigure(seconds, {
    digits: 2,
    target: `≤ ${download_seconds_target}`,
    met: seconds <= download_seconds_target,
  });
  const memory = formatFigure(grown_mb, {
    digits: 0,
    target: `≤ ${download_mb_target}`,
    met: grown_mb <= download_mb_target,
  });
  return `CSV of all ${rows} customers: ${time} s, RSS grown by ${memory} MB.`;
}

async function measureQueries(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "rounds": { type: "string", default: "15" },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 60) {
    throw new Error(`--rounds="${values.rounds}": a number from 1 to 60.`);
  }
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const dir = await exportsToMeasure(values.data, {
    made: join(temp.path, "exports"),
  });
  const config = readConfig({ DATA_DIR: dir });
  const folder = join(temp.path, "database");
  await Deno.mkdir(folder);
  const database = await openDatabase(await Deno.realPath(folder), {
    memory_limit: config.DUCKDB_MEMORY_LIMIT,
    threads: config.DUCKDB_THREADS,
  });
  try {
    const staging = {
      ...stagingSettings(config),
      folder: join(folder, "exports"),
      hashes: new FileHashes(),
    };
    await Deno.mkdir(staging.folder);
    const found = await findExports(await listExports(dir), {
      data_dir: dir,
      ...staging,
    });
    await using exports = new StagedExports(found, staging);
    const loaded = await loadExports(database, exports, {
      ...loadSettings(config),
      strict: true,
      progress: (text) => console.error(text),
    });
    const { report } = loaded;
    console.log(
      `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; ` +
        `${report.interactions} interactions of ${report.customers} ` +
        `customers; medians of ${rounds} rounds, in turns\n`,
    );
    console.log(`${await measureTables(database, loaded)}\n`);

    await using server = startServer("main.ts", {
      env: {
        DATA_DIR: dir,
        // A slow machine is to be measured, not answered with 504.
        QUERY_TIMEOUT_MS: "60000",
      },
      signal,
    });
    await server.waitForReady();
    const runner = new QueryRunner(database);
    using run = await createSlots(config).questions.take({
      signal,
      ends_at_ms: Infinity,
    });
    console.log(
      "| Question | Answer, cold (ms) | its CPU (ms) | Plain SQL (ms) | its CPU (ms) | Gain |",
    );
    console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (const question of questions) {
      console.log(
        await measureQuestion(question, { server, runner, rounds, run }),
      );
    }
    console.log("\n| Answer | Ratio to the constant |");
    console.log("| --- | ---: |");
    for (const line of await measureKnown(server, signal)) console.log(line);
    console.log(`\n${await measureDownload(server)}`);
  } finally {
    database.close();
  }
}

await measureQueries();
