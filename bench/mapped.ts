/** Measures what tally.toml costs: loading under it against the same files without, and ids that are texts against numbers, in turns. */

import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { generateExports } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  startServer,
  type Usage,
} from "./server.ts";
import {
  formatMiss,
  formatRates,
  measurePairs,
  median,
  requireWrk,
  round_seconds,
  row,
} from "./wrk.ts";

const settle_ms = 3000;
/** An id of 18 characters, as Salesforce has them: these, and 8 digits. */
const text_ids = { prefix: "0015g00000", digits: 8 };
const text_rss_peak_gb = 1.2;
const text_target_ratio = 0.80;

interface Case {
  title: string;
  /** What of `[interactions]` differs from the built-in contract. */
  time?: string;
  /** Lines below it. */
  more?: string;
  /** Columns in front of those of the interactions, as SQL. */
  columns?: string;
  target_ratio?: number;
}

const cases: Case[] = [
  { title: "tally.toml", target_ratio: 1.15 },
  {
    title: "a pattern of strptime",
    time: '{ column = "Date Start", format = "%d/%m/%Y %H:%M" }',
    target_ratio: 1.4,
  },
  {
    title: "a zone",
    time: '{ column = "Date Start", zone = "America/New_York" }',
    target_ratio: 1.4,
  },
  {
    title: "both",
    time:
      '{ column = "Date Start", format = "%d/%m/%Y %H:%M", zone = "America/New_York" }',
  },
  {
    title: "ids of interactions",
    more: 'id = "Id"',
    columns: "'ACT' || lpad((hash(i) % 10**15)::varchar, 15, '0') as \"Id\",",
    target_ratio: 2,
  },
];

const text_id = `'${text_ids.prefix}' || lpad(id::varchar, ${text_ids.digits}, '0')`;

function mappingOf({ time = '"Date Start"', more = "" }: Case): string {
  return `[interactions]
files = "interactions.csv"
time = ${time}
channel = "Interaction"
customer = "Customers"
${more}
`;
}

interface Start {
  readonly ready_seconds: number;
  readonly cpu_seconds: number;
  readonly settled: Usage;
}

async function measureStart(
  dir: string,
  signal: AbortSignal,
): Promise<Start> {
  const env = { DATA_DIR: dir };
  await using server = startServer("main.ts", { env, signal });
  const ready_seconds = await server.waitForReady();
  const { cpu_seconds } = server.readUsage();
  await delay(settle_ms, undefined, { signal });
  return { ready_seconds, cpu_seconds, settled: server.readUsage() };
}

/** Copies the exports in `from` to a new folder, with other tables where SQL for them is given. */
async function copyExports(
  from: string,
  { to, mapping, sql }: {
    readonly to: string;
    readonly mapping: string;
    readonly sql: Readonly<Record<string, string>>;
  },
): Promise<void> {
  await Deno.mkdir(to);
  await Deno.writeTextFile(`${to}/tally.toml`, mapping);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  for (const { name } of Deno.readDirSync(from)) {
    const select = sql[name];
    if (select === undefined) await Deno.link(`${from}/${name}`, `${to}/${name}`);
    else {
      await connection.run(
        `copy (${select} read_csv('${from}/${name}', all_varchar = true)) to '${to}/${name}' (format csv, header)`,
      );
    }
  }
  connection.closeSync();
  instance.closeSync();
}

async function measureLoads(
  plain: string,
  { temp, rounds, signal }: {
    readonly temp: string;
    readonly rounds: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  console.log(
    "| Data | Ready (s) | CPU until ready (s) | Ratio of the same files without, ready (min..max) " +
      "| Ratio, CPU | Target | RSS peak (GB) |",
  );
  console.log("| --- | ---: | ---: | ---: | ---: | :--- | ---: |");
  for (const [i, test] of cases.entries()) {
    const dir = `${temp}/case-${i}`;
    await copyExports(plain, {
      to: dir,
      mapping: mappingOf(test),
      sql: test.columns
        ? {
          "interactions.csv":
            `select ${test.columns} * exclude (i) from (select row_number() over () as i, * from`
              .replace(/from$/, "from") + " ",
        }
        : {},
    });
    const pairs = [];
    for (let round = 0; round < rounds; round++) {
      pairs.push({
        mapped: await measureStart(dir, signal),
        plain: await measureStart(plain, signal),
      });
      console.error(`${test.title} ${round + 1}/${rounds}`);
    }
    const ratios = pairs.map(({ mapped, plain }) =>
      mapped.ready_seconds / plain.ready_seconds
    );
    const cpu_ratio = median(
      pairs.map(({ mapped, plain }) => mapped.cpu_seconds / plain.cpu_seconds),
    );
    const ratio = median(ratios);
    const { target_ratio } = test;
    console.log(row(
      test.title,
      median(pairs.map(({ mapped }) => mapped.ready_seconds)).toFixed(2),
      median(pairs.map(({ mapped }) => mapped.cpu_seconds)).toFixed(2),
      `${ratio.toFixed(2)} (${Math.min(...ratios).toFixed(2)}..${
        Math.max(...ratios).toFixed(2)
      })`,
      cpu_ratio.toFixed(2),
      target_ratio === undefined
        ? ""
        : `≤ ${target_ratio}${formatMiss(Math.min(ratio, cpu_ratio) <= target_ratio)}`,
      peakOf(pairs.map(({ mapped }) => mapped)).toFixed(2),
    ));
  }
}

function peakOf(starts: readonly Start[]): number {
  return Math.max(...starts.map(({ settled }) => settled.rss_peak_bytes / 1e9));
}
