/** The composition root of `deno task check-data`: loads a folder as the server would, prints the report, changes nothing. */

import { misspelt, readConfig } from "./config.ts";
import { createStore } from "./create_store.ts";
import { MAPPING_FILE } from "./db/mapping/mapping_file.ts";
import { SettingError, StoreError } from "./db/model/problems.ts";
import { readArguments } from "./operator/command_line.ts";
import { isThere } from "./operator/is_there.ts";
import {
  createPaint,
  fail,
  fullReport,
  print,
  startProgress,
} from "./operator/terminal.ts";

const USAGE = "Usage: deno task check-data DIR [--json]";

const args = readArguments({ json: { type: "boolean" } }, USAGE);
const { values: { json }, positionals: [data_dir, ...rest] } = args;
if (!data_dir || rest.length > 0) fail(USAGE);

let config;
try {
  // STATE_DIR belongs to the server.
  config = { ...readConfig(), DATA_DIR: data_dir, STATE_DIR: undefined };
} catch (error) {
  fail(`Wrong setting ${(error as Error).message}`);
}
for (const text of misspelt()) console.error(text);

// Only this process needs what is loaded, wherever a server keeps its data.
const store = createStore({ ...config, STORE: "duckdb" });
const paint = createPaint(Deno.stdout.isTerminal());
const progress = startProgress();
try {
  await store.open();
  const { snapshot, warnings } = await store.check(progress.step);
  progress.stop();
  const { report, topics } = snapshot;
  print(
    json
      ? JSON.stringify({ data: { reasons: warnings, topics, report } })
      : fullReport(snapshot, { warnings, paint }),
  );
} catch (error) {
  progress.stop();
  if (error instanceof SettingError) fail(`Wrong setting ${error.message}`);
  if (!(error instanceof StoreError)) throw error;
  print(
    json
      ? JSON.stringify({ error: error.message })
      : `${paint("bad", "Not fit to serve.")} ${error.message}`,
  );
  const { may_be_mapped } = error;
  if (!json && may_be_mapped && !await isThere(`${data_dir}/${MAPPING_FILE}`)) {
    print(
      "deno task suggest drafts a tally.toml for files with other names, columns or dates.",
    );
  }
  Deno.exitCode = 1;
} finally {
  await store.close();
}
