/** Measures what is left under too much load: page views at four times the connections of their peak, and beside lists and downloads. */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Askers, Seen } from "./askers.ts";
import {
  listenForStop,
  project_dir,
  type Server,
  startServer,
  unreached_limits,
} from "./server.ts";
import {
  formatMiss,
  formatRates,
  measurePairs,
  median,
  medianRate,
  requireWrk,
  type Round,
  row,
  runWrk,
} from "./wrk.ts";

const before = "/api/v1/interactions/";
const peak_candidates = [8, 16, 32, 64, 128];
const least_goodput = 0.9;
const most_p99_ratio = 6;
const most_probe_ms = 10;
const most_shed_ms = 20;
/** Of `nice`: clients are elsewhere, so that they take no core from the server. */
const lowest_priority = 19;

/** Whether the process lives and is ready, as an orchestrator asks, only more often. */
const probes: Askers = {
  clients: 1,
  paths: ["/healthz", "/readyz"],
  pause_ms: 10,
};
/** The peak is where the rate is nearly the best with the fewest connections: more of them are too many. */
const peak_share = 0.97;
const downloads = [
  "/api/v1/interactions?format=csv&start_date=@",
  "/api/v1/interactions?format=xlsx&end_date=@",
  "/api/v1/interactions?format=parquet&start_date=@",
];
/**
 * What loads the server; hardly a question is asked twice, so that few are answered from
 * the cache.
 */
const loads: Readonly<Record<string, Askers>> = {
  lists: {
    clients: 100,
    paths: [
      "/api/v1/interactions?sort=-total&limit=#&start_date=@",
      "/api/v1/interactions?sort=total&limit=#&end_date=@",
      "/api/v1/metrics/interactions?by=day&pivot=channel&start_date=@",
    ],
  },
  downloads: { clients: 80, paths: downloads },
};
/**
 * What is measured beside them, by processes that do nothing else. Few downloads get a
 * place in the full queue, which they give up.
 */
const samples: Readonly<Record<string, Askers>> = {
  "more downloads": {
    clients: 20,
    paths: downloads,
    give_up_ms: 250,
  },
  probes,
};

/**
 * Runs bench/askers.ts in a process of its own, so that no other work delays what it
 * measures. One that only loads gives way to the server, as clients elsewhere would.
 */
async function ask(
  { origin }: Server,
  { kind, seconds, signal, gives_way = false }: {
    readonly kind: Askers;
    readonly seconds: number;
    readonly signal: AbortSignal;
    readonly gives_way?: boolean;
  },
): Promise<Seen> {
  const { success, stdout, stderr } = await new Deno.Command("nice", {
    args: [
      "-n",
      String(gives_way ? lowest_priority : 0),
      Deno.execPath(),
      "run",
      "--quiet",
      "--allow-net",
      "bench/askers.ts",
      origin,
      String(seconds),
      JSON.stringify(kind),
    ],
    cwd: project_dir,
    signal,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function at(times: readonly number[], share: number): number {
  return times[Math.floor(share * (times.length - 1))];
}

function p99Of(rounds: readonly Round[]): number {
  return median(rounds.map(({ p99_us }) => p99_us / 1_000));
}

/** The times of answers, and how many there are. */
function describe(times: readonly number[] = [], most_ms = Infinity): string {
  if (times.length === 0) return "0";
  const p99 = at(times, 0.99);
  return `${times.length} (${at(times, 0.5).toFixed(1)}, ${
    p99.toFixed(1)
  } ms)` +
    formatMiss(p99 <= most_ms);
}

async function measureOverload(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "rounds": { type: "string", default: "7" },
      "seconds": { type: "string", default: "10" },
    },
  });
  if (values.data === undefined) throw new Error("--data=DIR is missing.");
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  await requireWrk();
  const signal = listenForStop();
  const env = { DATA_DIR: resolve(values.data) };
  await using server = startServer("main.ts", {
    env,
    signal,
  });
  await server.waitForReady();
  const stats = await fetch(`${server.origin}/api/v1/stats/customers`);
  const customers: number = (await stats.json()).rows;
  const load = { before, customers, signal };

  const measured: [connections: number, rounds: Round[]][] = [];
  for (const connections of peak_candidates) {
    const seen: Round[] = [];
    for (let seed = 0; seed < 4; seed++) {
      seen.push(await runWrk({ server }, { ...load, connections, seed }));
    }
    measured.push([connections, seen.slice(1)]);
  }
  const rates = measured.map(([, seen]) => medianRate(seen));
  const best = Math.max(...rates);
  const [peak] = measured.find((_, i) => rates[i] >= peak_share * best)!;

  const round = async (connections: number, seed: number) => {
    const seconds = 3;
    const probing = ask(server, { kind: probes, seconds, signal });
    const round = await runWrk({ server }, {
      ...load,
      connections,
      seconds,
      seed,
    });
    return { round, probe_ms: at((await probing).by_status["200"], 0.99) };
  };
  const pairs = [];
  for (let seed = 1; seed <= rounds; seed++) {
    pairs.push({
      peak: await round(peak, seed),
      over: await round(4 * peak, seed),
    });
  }
  const at_peak = pairs.map(({ peak }) => peak.round);
  const over = pairs.map(({ over }) => over.round);
  const goodput = medianRate(over) / medianRate(at_peak);
  const p99_ratio = p99Of(over) / p99Of(at_peak);
  const probe_p99 = median(pairs.map(({ over }) => over.probe_ms));
  console.log(
    `Random ones of ${customers} customers; ${rounds} rounds in turns\n`,
  );
  console.log(
    "| Connections | Requests/s | p99 (ms) | Of the peak | p99, times that of the peak | Probes, p99 (ms) |",
  );
  console.log("| ---: | ---: | ---: | ---: | ---: | ---: |");
  console.log(
    row(
      `${peak} (peak)`,
      medianRate(at_peak).toFixed(0),
      p99Of(at_peak).toFixed(1),
      "",
      "",
      median(pairs.map(({ peak }) => peak.probe_ms)).toFixed(1),
    ),
  );
  console.log(
    row(
      String(4 * peak),
      medianRate(over).toFixed(0),
      p99Of(over).toFixed(1),
      goodput.toFixed(2) + formatMiss(goodput >= least_goodput),
      p99_ratio.toFixed(1) + formatMiss(p99_ratio <= most_p99_ratio),
      probe_p99.toFixed(1) + formatMiss(probe_p99 <= most_probe_ms),
    ),
  );

  await using limited = startServer("main.ts", {
    env: { ...env, ...unreached_limits, TRUSTED_PROXIES: "1" },
    signal,
  });
  await limited.waitForReady();
  const headers = { "X-Forwarded-For": "203.0.113.7, 2001:db8:1:2::3" };
  console.log(
    "\n| Page views | With RATE_LIMIT (requests/s) | Without (requests/s) | Ratio (min..max) | Target |",
  );
  console.log("| --- | ---: | ---: | ---: | :--- |");
  for (
    const [title, sent] of [
      ["behind a proxy", headers],
      ["without X-Forwarded-For", {}],
    ] as const
  ) {
    const compared = await measurePairs(
      [{ server: limited, headers: sent }, { server, headers: sent }],
      { ...load, rounds },
    );
    console.log(row(title, ...formatRates(undefined, compared)));
  }

  const asking = Promise.all(
    Object.entries({ ...loads, ...samples }).map(async ([name, kind]) => {
      const gives_way = name in loads;
      const seen = await ask(server, { kind, seconds, signal, gives_way });
      return [name, seen] as const;
    }),
  );
  const page_views = await runWrk({ server }, {
    ...load,
    connections: peak,
    seconds,
    seed: 99,
    priority: lowest_priority,
  });
  const seen = await asking;
  console.log(
    `\nBeside ${peak} connections of page views (${
      medianRate([page_views]).toFixed(0)
    } requests/s, p99 ${
      p99Of([page_views]).toFixed(1)
    } ms), for ${seconds} s:\n`,
  );
  console.log(
    "| Clients | 200 (median, p99) | 503 (median, p99) | Others |",
  );
  console.log("| --- | ---: | ---: | --- |");
  for (const [name, { by_status }] of seen) {
    const { 200: good, 503: shed, ...others } = by_status;
    console.log(row(
      name,
      describe(good),
      describe(shed, name in samples ? most_shed_ms : undefined),
      Object.entries(others).map(([status, { length }]) =>
        `${status}: ${length}`
      ).join(", "),
    ));
  }
  const { rss_peak_bytes } = server.readUsage();
  console.log(`\nResident at most: ${(rss_peak_bytes / 1e6).toFixed(0)} MB`);
}

await measureOverload();
