/** Measures one load of very many interactions, made on the spot, and what is answered from them. */

import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { assertEquals } from "@std/assert";
import { readAnswer } from "./constant.ts";
import { exportsToMeasure } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  type Server,
  startServer,
} from "./server.ts";
import {
  formatMiss,
  median,
  medianRate,
  requireWrk,
  type Round,
  row,
  runWrk,
} from "./wrk.ts";

const before = "/api/v1/interactions/";
const period = { start_date: "2020-01-01", end_date: "2021-12-31" };
const dates = new URLSearchParams(period).toString();
const recounted = 600;
const rounds = 5;
/** For each interaction: the exports, their copies, the database, and what a sort writes. */
const disk_bytes = 60;

/** By the number of interactions. */
const targets: Readonly<
  Record<number, { ready_seconds: number; peak_gb?: number }>
> = {
  100_000_000: { ready_seconds: 35 },
  1_000_000_000: { ready_seconds: 350, peak_gb: 9 },
};

const questions: readonly (readonly [title: string, path: string])[] = [
  [
    "Metrics by month, channel",
    "/api/v1/metrics/interactions?by=month,channel",
  ],
  [
    "Metrics by occupation, day",
    "/api/v1/metrics/interactions?by=occupation,day",
  ],
  [
    "Customers reached by month",
    "/api/v1/metrics/customers?by=month",
  ],
  [
    "Matrix, 100 by total",
    "/api/v1/interactions?sort=-total&limit=100",
  ],
  [
    "Matrix, 100 by total, two years",
    `/api/v1/interactions?sort=-total&limit=100&${dates}`,
  ],
];

function requireDisk(interactions: number): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  const needed_gb = interactions * disk_bytes / 1e9;
  const free_gb = bavail * bsize / 1e9;
  if (free_gb >= needed_gb) return;
  throw new Error(
    `${tmpdir()} has ${free_gb.toFixed(0)} GB free, and ${interactions} ` +
      `interactions may need ${needed_gb.toFixed(0)} GB: set TMPDIR to a ` +
      "folder on a larger disk, or take fewer by --interactions.",
  );
}

type Counts = Record<string, number>;

/** Counts what some customers have in the exports, and throws where an answer differs. */
async function recount(
  { origin }: Server,
  { dir, customers }: { readonly dir: string; readonly customers: number },
): Promise<void> {
  const ids = Array.from(
    { length: recounted },
    () => 1 + Math.floor(Math.random() * customers),
  );
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const counted = await connection.runAndReadAll(
    `select "Customers"::integer, "Interaction", count(*)::integer,
       count(*) filter ("Date Start"::date between '${period.start_date}' and '${period.end_date}')::integer
     from read_parquet('${dir.replaceAll("'", "''")}/interactions.parquet')
     where "Customers" in (${ids}) group by all`,
  );
  const all = new Map<number, Counts>();
  const dated = new Map<number, Counts>();
  for (const [id, channel, n, in_period] of counted.getRowsJS()) {
    for (const [into, count] of [[all, n], [dated, in_period]] as const) {
      const counts = into.get(Number(id)) ?? {};
      counts[String(channel)] = Number(count);
      into.set(Number(id), counts);
    }
  }
  connection.closeSync();
  instance.closeSync();
  for (const id of ids) {
    for (const [query, counts] of [["", all], [`?${dates}`, dated]] as const) {
      const path = `${before}${id}${query}`;
      const { data } = await (await readAnswer(origin + path)).json();
      const answered = Object.entries<number>(data.interactions);
      const expected = counts.get(id) ?? {};
      assertEquals(
        answered,
        answered.map(([name]) => [name, expected[name] ?? 0]),
        path,
      );
    }
  }
}

async function measureScale(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "interactions": { type: "string", default: "100000000" },
      "customers": { type: "string" },
    },
  });
  const interactions = Number(values.interactions);
  if (!Number.isInteger(interactions) || interactions < 1) {
    throw new Error(`--interactions="${values.interactions}": a whole number.`);
  }
  await requireWrk();
  requireDisk(interactions);
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const dir = await exportsToMeasure(values.data, {
    made: temp.path,
    interactions,
    customers: Number(values.customers ?? Math.ceil(interactions / 10)),
  });
  await using server = startServer("main.ts", {
    env: { DATA_DIR: dir, CACHE_BYTES: "0" },
    signal,
  });
  const ready_seconds = await server.waitForReady();
  const loading = server.readUsage();
  const rowsOf = async (table: string): Promise<number> =>
    (await (await readAnswer(`${server.origin}/api/v1/stats/${table}`)).json())
      .rows;
  const customers = await rowsOf("customers");
  const loaded = await rowsOf("interactions");
  const target = targets[loaded];
  const limit = Deno.env.get("DUCKDB_MEMORY_LIMIT") ?? "its default";
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; ` +
      `${loaded} interactions of ${customers} customers as Parquet; ` +
      `DUCKDB_MEMORY_LIMIT is ${limit}; CACHE_BYTES=0\n`,
  );
  console.log(row("What", "Measured", "Target"));
  console.log(row("---", "---:", ":---"));
  const atMost = (figure: number, most?: number) =>
    most === undefined ? "" : `≤ ${most}${formatMiss(figure <= most)}`;
  console.log(row(
    "Ready (s)",
    ready_seconds.toFixed(1),
    atMost(ready_seconds, target?.ready_seconds),
  ));
  console.log(row("CPU until ready (s)", loading.cpu_seconds.toFixed(1), ""));

  await recount(server, { dir, customers });
  console.log(
    row(
      `${recounted} customers recounted, without and with dates`,
      "equal",
      "",
    ),
  );
  const seen: Round[] = [];
  for (let seed = 0; seed <= rounds; seed++) {
    seen.push(await runWrk({ server }, { before, customers, signal, seed }));
  }
  seen.shift();
  console.log(row("Customer (requests/s)", medianRate(seen).toFixed(0), ""));
  const p99_ms = median(seen.map(({ p99_us }) => p99_us)) / 1000;
  console.log(row("Customer, p99 (ms)", p99_ms.toFixed(1), ""));
  for (const [title, path] of questions) {
    const times: number[] = [];
    const statuses = new Set<number>();
    for (let round = 0; round < rounds; round++) {
      const began = performance.now();
      const answer = await fetch(server.origin + path, { signal });
      await answer.text();
      times.push(performance.now() - began);
      statuses.add(answer.status);
    }
    const is_answered = statuses.size === 1 && statuses.has(200);
    console.log(row(
      `${title} (ms)`,
      `${median(times).toFixed(0)} (${Math.min(...times).toFixed(0)}..${
        Math.max(...times).toFixed(0)
      })`,
      `status 200${
        is_answered ? "" : `, **missed**: ${[...statuses].join(", ")}`
      }`,
    ));
  }
  const { rss_bytes, rss_peak_bytes } = server.readUsage();
  const peak_gb = rss_peak_bytes / 1e9;
  console.log(
    row("RSS peak (GB)", peak_gb.toFixed(2), atMost(peak_gb, target?.peak_gb)),
  );
  console.log(row("RSS at the end (GB)", (rss_bytes / 1e9).toFixed(2), ""));
}

await measureScale();
