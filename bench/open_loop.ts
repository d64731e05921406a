/** Measures the website's question under a fixed rate: requests that are due at their times, whatever was answered before, at shares of the peak of a closed loop, beside the constant. */

import { parseArgs } from "node:util";
import { readAnswer, readConstant } from "./constant.ts";
import { exportsToMeasure } from "./generate.ts";
import { runSteadyLoad } from "./run_steady_load.ts";
import {
  listenForStop,
  makeTempFolder,
  startConstant,
  startServer,
} from "./server.ts";
import type { SteadyLoad } from "./steady_load.ts";
import {
  connections,
  median,
  medianRate,
  requireWrk,
  row,
  runWrk,
} from "./wrk.ts";

const before = "/api/v1/interactions/";
const shares = [0.5, 0.8];
const peak_seconds = 2;
const warm_up_rounds = 1;

const columns:
  readonly (readonly [string, (seen: SteadyLoad) => number, number])[] = [
    ["Requests/s", ({ requests, seconds }) => requests / seconds, 0],
    ["p50 (ms)", ({ p50_ms }) => p50_ms, 2],
    ["p99 (ms)", ({ p99_ms }) => p99_ms, 2],
    ["p99.9 (ms)", ({ p999_ms }) => p999_ms, 2],
    ["Sent late, p50 (ms)", ({ late }) => late.p50_ms, 2],
    ["p99 (ms)", ({ late }) => late.p99_ms, 2],
    ["p99.9 (ms)", ({ late }) => late.p999_ms, 2],
    ["Waited for a connection (%)", ({ waited }) => waited * 100, 1],
    ["Generator's CPU (% of a core)", ({ cpu_share }) => cpu_share * 100, 0],
  ];

async function measureOpenLoop(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "rounds": { type: "string", default: "9" },
      "seconds": { type: "string", default: "5" },
    },
  });
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  await requireWrk();
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const dir = await exportsToMeasure(values.data, { made: temp.path });
  await using tally = startServer("main.ts", {
    env: { DATA_DIR: dir },
    signal,
  });
  await tally.waitForReady();
  const stats = await readAnswer(`${tally.origin}/api/v1/stats/customers`);
  const customers: number = (await stats.json()).rows;
  await using constant = await startConstant(
    await readConstant(`${tally.origin}${before}1`, {
      route: `${before}:customer_id`,
    }),
    { signal },
  );

  const seen = new Map<string, SteadyLoad[]>();
  const peaks: number[] = [];
  for (let seed = 1 - warm_up_rounds; seed <= rounds; seed++) {
    // Anew in each round: on a machine that others use, the peak changes.
    const peak = medianRate([
      await runWrk({ server: tally }, {
        before,
        customers,
        seconds: peak_seconds,
        seed,
        signal,
      }),
    ]);
    if (seed > 0) peaks.push(peak);
    for (const share of shares) {
      for (
        const [name, server] of Object.entries({
          Tally: tally,
          Constant: constant,
        })
      ) {
        const load = await runSteadyLoad(server, {
          customers,
          requests_per_second: Math.round(peak * share),
          seconds,
        });
        if (load.errors > 0) throw new Error(`${load.errors} wrong answers`);
        const title = `${share * 100} % of the peak, ${name}`;
        if (seed > 0) seen.set(title, [...seen.get(title) ?? [], load]);
      }
    }
  }
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; random ` +
      `ones of ${customers} customers; peak of Tally with wrk, ${connections} ` +
      `connections: ${median(peaks).toFixed(0)} requests/s (${
        Math.min(...peaks).toFixed(0)
      }..${Math.max(...peaks).toFixed(0)}); medians of ${rounds} rounds of ` +
      `${seconds} s each, in turns\n`,
  );
  console.log(row("Rate", ...columns.map(([title]) => title)));
  console.log(row("---", ...columns.map(() => "---:")));
  for (const [title, loads] of seen) {
    console.log(row(
      title,
      ...columns.map(([, figure, digits]) =>
        median(loads.map(figure)).toFixed(digits)
      ),
    ));
  }
}

await measureOpenLoop();
