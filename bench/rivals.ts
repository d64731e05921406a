/** Measures what people would build instead of Tally, over the same exports, in turns, after each answer is compared with Tally's. */

import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { assertEquals } from "@std/assert";
import { readAnswer } from "./constant.ts";
import { exportsToMeasure } from "./generate.ts";
import { startPostgres } from "./rivals/start_postgres.ts";
import {
  listenForStop,
  makeTempFolder,
  secondsUntilLive,
  type Server,
  settle_ms,
  startServer,
  versionOf,
} from "./server.ts";
import {
  connections,
  measureInTurn,
  median,
  medianRate,
  requireWrk,
  round_seconds,
  row,
} from "./wrk.ts";

const interactions = "/api/v1/interactions";
const compared_customers = 200;

/** Where the questions that count everything are asked. */
interface Paths {
  metrics: string;
  matrix: string;
}

const rival_paths: Paths = { metrics: "/metrics", matrix: "/matrix" };
const tally_paths: Paths = {
  metrics: "/api/v1/metrics/interactions?by=month,channel",
  matrix:
    `${interactions}?sort=-total&limit=100&start_date=2020-01-01&end_date=2021-12-31`,
};

interface Contender {
  title: string;
  server: Server;
  ready_seconds: number;
  settled_bytes: number;
  paths: Paths;
  /** Seconds until changed exports are served. */
  refresh: () => Promise<number>;
  /** Of a server of its own that the process asks. */
  beside_bytes: () => number;
}

type Row = Record<string, unknown>;
const jsonOf = async ({ origin }: Server, path: string) =>
  await (await readAnswer(origin + path)).json();

/** The rows of a rival as Tally gives them. */
function rowsLikeTally(rows: Row[], channels: readonly string[]): Row[] {
  return rows.map(({ month, channel, n, ...others }) => {
    if (month !== undefined) {
      const text = String(month);
      return {
        month: `${text.slice(0, 4)}-${text.slice(4)}`,
        channel: channels[Number(channel)],
        interactions: n,
      };
    }
    const { customer_id, occupation, type, total } = others;
    const counts = channels.map((name, i) => [name, others[`c${i}`]]);
    return {
      customer_id,
      occupation,
      type,
      interactions: Object.fromEntries(counts),
      total,
    };
  });
}

/** Throws at the first answer that differs from Tally's. */
async function compare(
  tally: Server,
  { server, customers }: {
    readonly server: Server;
    readonly customers: number;
  },
): Promise<void> {
  for (let i = 0; i < compared_customers; i++) {
    const path = `${interactions}/${1 + Math.floor(Math.random() * customers)}`;
    assertEquals(await jsonOf(server, path), await jsonOf(tally, path), path);
  }
  const first = await jsonOf(tally, `${interactions}/1`);
  const channels = Object.keys(first.data.interactions);
  for (const name of ["metrics", "matrix"] as const) {
    const { data } = await jsonOf(tally, tally_paths[name]);
    const rows = await jsonOf(server, rival_paths[name]);
    assertEquals(rowsLikeTally(rows, channels), data, name);
  }
}

async function millisecondsOf({ server, paths }: Contender, name: keyof Paths) {
  const began = performance.now();
  await (await readAnswer(server.origin + paths[name])).text();
  return performance.now() - began;
}

async function measureRivals(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "rounds": { type: "string", default: "7" },
    },
  });
  const rounds = Number(values.rounds);
  await requireWrk();
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const given = await exportsToMeasure(values.data, {
    made: `${temp.path}/made`,
  });
  // A copy, since the refresh changes it.
  const dir = `${temp.path}/exports`;
  await Deno.mkdir(dir);
  for await (const { name } of Deno.readDir(given)) {
    await Deno.copyFile(`${given}/${name}`, `${dir}/${name}`);
  }
  // The processes of Postgres have a user of their own.
  await Deno.chmod(temp.path, 0o755);
  await using postgres = await startPostgres(`${temp.path}/postgres`);
  if (!postgres) console.log("Postgres is not installed, and left out.\n");

  await using stack = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  const add = async (
    contender: Pick<Contender, "title" | "paths" | "beside_bytes"> & {
      readonly refresh: (server: Server) => Promise<number>;
    },
    started: Server,
  ) => {
    const server = stack.use(started);
    const ready_seconds = await server.waitForReady();
    await delay(settle_ms, undefined, { signal });
    contenders.push({
      ...contender,
      server,
      ready_seconds,
      settled_bytes: server.readUsage().rss_bytes + contender.beside_bytes(),
      refresh: () => contender.refresh(server),
    });
    console.error(`${contender.title}: ready in ${ready_seconds.toFixed(1)} s`);
  };

  await add(
    {
      title: "Tally",
      paths: tally_paths,
      beside_bytes: () => 0,
      async refresh(server) {
        const before = await versionOf(server);
        const file = `${dir}/customers.csv`;
        const text = await Deno.readTextFile(file);
        await Deno.writeTextFile(`${file}.part`, `${text}999999999,Jedi,Red\n`);
        await Deno.rename(`${file}.part`, file);
        return secondsUntilLive(server, before);
      },
    },
    startServer("main.ts", {
      env: {
        DATA_DIR: dir,
        HOLD: "off",
        CACHE_BYTES: "0",
        QUERY_TIMEOUT_MS: "60000",
      },
      signal,
    }),
  );
  const [{ server: tally }] = contenders;
  const customers: number =
    (await jsonOf(tally, "/api/v1/stats/customers")).rows;

  const rivals = {
    sqlite: "node:sqlite, covering indexes",
    texts: "node:sqlite, computed texts",
    duckdb: "DuckDB at each request",
    ...postgres && { postgres: "Postgres with a pool" },
  };
  for (const [RIVAL, title] of Object.entries(rivals)) {
    const folder = `${temp.path}/${RIVAL}_files`;
    await Deno.mkdir(folder);
    await add(
      {
        title,
        paths: rival_paths,
        beside_bytes: () =>
          RIVAL === "postgres" ? postgres!.residentBytes() : 0,
        async refresh({ origin }) {
          const began = performance.now();
          const answer = await fetch(`${origin}/refresh`, { method: "POST" });
          if (!answer.ok) throw new Error(await answer.text());
          return (performance.now() - began) / 1000;
        },
      },
      startServer("bench/rivals/server.ts", {
        env: {
          RIVAL,
          DATA_DIR: dir,
          TEMP_DIR: folder,
          POSTGRES_SOCKET: postgres?.socket ?? "",
        },
        // So that what only a rival needs is not in the lock of the project.
        flags: ["--no-lock"],
        signal,
      }),
    );
    await compare(tally, { server: contenders.at(-1)!.server, customers });
  }

  const page_views = await measureInTurn(contenders, {
    before: `${interactions}/`,
    customers,
    rounds,
    signal,
  });
  const times: Record<keyof Paths, number[][]> = { metrics: [], matrix: [] };
  for (const name of ["metrics", "matrix"] as const) {
    for (let round = 0; round < rounds; round++) {
      const measured: number[] = [];
      for (const one of contenders) {
        measured.push(await millisecondsOf(one, name));
      }
      times[name].push(measured);
    }
  }
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; ` +
      `${customers} customers; ${compared_customers} of them, the metrics and ` +
      `the matrix compared with Tally's; page views by wrk, 1 thread, ` +
      `${connections} connections; medians of ${rounds} rounds (page views ` +
      `of ${round_seconds} s each), in turns; no answer cache\n`,
  );
  console.log(row(
    "What",
    "Ready (s)",
    "RSS (MB)",
    "Customer (requests/s)",
    "p99 (ms)",
    "Metrics (ms)",
    "Matrix (ms)",
    "Refresh (s)",
    "RSS after it (MB)",
  ));
  console.log(row("---", ...Array(8).fill("---:")));
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  for (const [i, one] of contenders.entries()) {
    const rounds_of = page_views.map((round) => round[i]);
    const refresh_seconds = await one.refresh();
    console.log(row(
      one.title,
      one.ready_seconds.toFixed(1),
      mb(one.settled_bytes),
      medianRate(rounds_of).toFixed(0),
      (median(rounds_of.map(({ p99_us }) => p99_us)) / 1000).toFixed(1),
      median(times.metrics.map((round) => round[i])).toFixed(1),
      median(times.matrix.map((round) => round[i])).toFixed(1),
      refresh_seconds.toFixed(1),
      mb(one.server.readUsage().rss_bytes + one.beside_bytes()),
    ));
  }
}

await measureRivals();
