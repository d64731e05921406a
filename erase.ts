/** The composition root of `deno task erase`: removes the kept versions that hold a customer. */

import { readSetting } from "./config.ts";
import { countCustomerRows } from "./db/duckdb/customer_rows.ts";
import { openDatabase } from "./db/duckdb/database.ts";
import { harmless } from "./db/model/names.ts";
import { SettingError } from "./db/model/problems.ts";
import { StateFolder } from "./db/refresh/archive.ts";
import { eraseCustomer } from "./db/refresh/erasure.ts";
import { folderError } from "./db/refresh/setting_folder.ts";
import { claimWorkFolder } from "./db/refresh/work_folder.ts";
import { printEntry } from "./operator/log.ts";
import { readArguments } from "./operator/command_line.ts";
import { isThere } from "./operator/is_there.ts";
import { fail, print } from "./operator/terminal.ts";

const USAGE = `Usage: deno task erase ID [--dry-run] [--unreadable]

Removes the versions in STATE_DIR that hold the customer with this id.

--dry-run     removes no version, and prints what it would do
--unreadable  removes also the versions that this build of Tally cannot read`;

/** Enough for counting rows of one customer, and little beside a server. */
const LIMITS = { memory_limit: "200MB", threads: 1 };

const SERVED =
  "The version that a running server serves is not removed: it may hold the customer until exports without the customer are loaded.";

const NO_STATE =
  "No server has kept versions in this folder: set STATE_DIR to the folder in which the server keeps them.";

function nothingFound(id: string): string {
  return `Looked for the customer_id ${
    harmless(JSON.stringify(id))
  }, and no version has it. Names of customers are not searched.`;
}

const args = readArguments({
  "dry-run": { type: "boolean", default: false },
  unreadable: { type: "boolean", default: false },
}, USAGE);
const { values, positionals: [typed = "", ...rest] } = args;
const id = typed.normalize("NFC").trim();
if (!id || rest.length > 0) fail(USAGE);
const setting = { setting: "STATE_DIR", path: readSetting("STATE_DIR") };
if (!setting.path) {
  fail(
    readSetting("STORE") === "clickhouse"
      ? "With STORE=clickhouse there is no STATE_DIR: versions with the customer go with later loads, as docs/scaling.md says."
      : "STATE_DIR is not set: set it to the folder in which the server keeps versions.",
  );
}

try {
  const path = await Deno.realPath(setting.path);
  const work_folder = await claimWorkFolder(readSetting("STAGING_DIR"));
  try {
    const database = await openDatabase(work_folder.path, {
      ...LIMITS,
      also_reads: [path],
    });
    try {
      const state = new StateFolder(path, printEntry);
      const { versions, removed, left, latest_is_clean } = await eraseCustomer(
        state,
        {
          id,
          dry_run: values["dry-run"],
          unreadable: values.unreadable,
          countRows: (folder, customer) =>
            countCustomerRows(database, folder, customer),
          say: print,
        },
      );
      print(
        `${path}: versions looked through: ${versions}, removed: ${removed}, left with the customer, or unknown: ${left}.`,
      );
      const has_found = removed + left > 0;
      if (versions === 0 && !has_found && !await isThere(state.lock)) {
        console.error(NO_STATE);
        Deno.exitCode = 1;
      } else {
        if (!has_found) print(nothingFound(id));
        if (!latest_is_clean) print(SERVED);
        if (left > 0) Deno.exitCode = 1;
      }
    } finally {
      database.close();
    }
  } finally {
    await work_folder.release();
  }
} catch (error) {
  const known = folderError(setting, error);
  if (!(known instanceof SettingError)) throw error;
  fail(`Wrong setting ${known.message}`);
}
