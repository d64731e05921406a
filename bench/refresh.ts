/** Measures what readers notice of a refresh of 10 M interactions, and how soon dropped files are live. */

import { parseArgs } from "node:util";
import { generateExports } from "./generate.ts";
import { runSteadyLoad } from "./run_steady_load.ts";
import {
  listenForStop,
  makeTempFolder,
  secondsUntilLive,
  startServer,
  versionOf,
} from "./server.ts";

const steady_rate = {
  customers: 1_000_000,
  requests_per_second: 5_000,
  seconds: 30,
};

/** Adds an interaction to the exports, and puts the file in its place in one step. */
async function dropNewer(dir: string): Promise<void> {
  const file = `${dir}/interactions.csv`;
  await Deno.copyFile(file, `${file}.part`);
  await Deno.writeTextFile(`${file}.part`, "01/01/2023 10:00,Call,1\n", {
    append: true,
  });
  await Deno.rename(`${file}.part`, file);
}

function row(cells: (string | number)[]): void {
  console.log(`| ${cells.join(" | ")} |`);
}

async function measureRefreshes(): Promise<void> {
  const { values } = parseArgs({
    options: { data: { type: "string" } },
  });
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const large = `${temp.path}/large`;
  const small = `${temp.path}/small`;
  if (values.data) {
    await Deno.mkdir(large);
    for await (const { name } of Deno.readDir(values.data)) {
      await Deno.copyFile(`${values.data}/${name}`, `${large}/${name}`);
    }
  } else await generateExports(large);
  await generateExports(small, { interactions: 1_000_000, customers: 100_000 });

  {
    await using server = startServer("main.ts", {
      env: {
        DATA_DIR: small,
        HOLD: "off",
      },
      signal,
    });
    await server.waitForReady();
    const before = await versionOf(server);
    await dropNewer(small);
    const seconds = await secondsUntilLive(server, before);
    row(["1 M rows of CSV, from drop to live (s)", seconds.toFixed(2), "≤ 5"]);
  }
  await using server = startServer("main.ts", {
    env: {
      DATA_DIR: large,
      HOLD: "off",
    },
    signal,
  });
  await server.waitForReady();
  const alone = await runSteadyLoad(server, steady_rate);
  const before = await versionOf(server);
  const rss_before = server.readUsage().rss_bytes;
  await dropNewer(large);
  const [beside, seconds] = await Promise.all([
    runSteadyLoad(server, steady_rate),
    secondsUntilLive(server, before),
  ]);
  const { rss_peak_bytes } = server.readUsage();
  row(["p99 without a refresh (ms)", alone.p99_ms.toFixed(1), ""]);
  row(["p99 while they are built (ms)", beside.p99_ms.toFixed(1), "≤ 30"]);
  row(["errors while they are built", beside.errors, "0"]);
  row(["10 M rows of CSV, from drop to live (s)", seconds.toFixed(1), ""]);
  row(["RSS before it (GB)", (rss_before / 1e9).toFixed(2), ""]);
  row(["RSS peak (GB)", (rss_peak_bytes / 1e9).toFixed(2), ""]);
}

await measureRefreshes();
