/** The composition root of `deno task load`: loads a folder into ClickHouse, has the followers serve it, prints the report and ends. */

import { misspelt, readConfig } from "./config.ts";
import { createStore } from "./create_store.ts";
import { SettingError, StoreError } from "./db/model/problems.ts";
import { readArguments } from "./operator/command_line.ts";
import {
  createPaint,
  fail,
  fullReport,
  print,
  startProgress,
} from "./operator/terminal.ts";

const USAGE = `Usage: deno task load [DIR]
Loads DIR, by default DATA_DIR, into the ClickHouse of CLICKHOUSE_URL.`;

const args = readArguments({}, USAGE);
const { positionals: [data_dir, ...rest] } = args;
if (rest.length > 0) fail(USAGE);

let config;
try {
  config = readConfig();
} catch (error) {
  fail(`Wrong setting ${(error as Error).message}`);
}
for (const text of misspelt()) console.error(text);

const store = createStore({
  ...config,
  ...data_dir !== undefined && { DATA_DIR: data_dir },
  STORE: "clickhouse",
  ROLE: "loader",
}, { log: ({ text }) => console.error(text) });
const paint = createPaint(Deno.stdout.isTerminal());
const progress = startProgress();
try {
  await store.open();
  const { snapshot, warnings } = await store.check(progress.step);
  progress.stop();
  print(fullReport(snapshot, { warnings, paint }));
  // The store serves what it has loaded even where that could not be kept.
  const kept = await store.engine.archive!.keptVersions();
  if (kept[0] === snapshot.data_version) {
    print(`Served by every follower of ${store.engine.archive!.name}.`);
  } else {
    console.error(`Not served. ${store.notice ?? ""}`);
    Deno.exitCode = 1;
  }
} catch (error) {
  progress.stop();
  if (!(error instanceof StoreError)) throw error;
  if (error instanceof SettingError) {
    console.error(`Wrong setting ${error.message}`);
  } else print(`${paint("bad", "Not served.")} ${error.message}`);
  Deno.exitCode = 1;
} finally {
  // Also after an error: other loaders wait for the lease.
  await store.close();
}
