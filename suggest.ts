/** The composition root of `deno task suggest`: drafts a tally.toml from the first rows of a folder's files. */

import { readArguments } from "./operator/command_line.ts";
import { isThere } from "./operator/is_there.ts";
import { misspelt, readConfig } from "./config.ts";
import { openParquetSampler } from "./db/duckdb/sample_parquet.ts";
import { writeAll } from "./db/intake/write_all.ts";
import {
  MAPPING_FILE,
  MAPPING_SCHEMA_FILE,
  mappingJsonSchema,
} from "./db/mapping/mapping_file.ts";
import { harmless } from "./db/model/names.ts";
import { SettingError } from "./db/model/problems.ts";
import { claimWorkFolder } from "./db/refresh/work_folder.ts";
import { draftMapping } from "./db/suggest/draft.ts";
import {
  evidenceText,
  type Suggestion,
  suggestionOf,
} from "./db/suggest/evidence.ts";
import { sampleFolder } from "./db/suggest/sample_files.ts";
import { cannotBeWritten, fail, print } from "./operator/terminal.ts";

const USAGE = "Usage: deno task suggest DIR [--write] [--json]";
const IS_THERE =
  `${MAPPING_FILE} is there already, and is never overwritten. Rename it, or leave --write out.`;

const args = readArguments({
  json: { type: "boolean" },
  write: { type: "boolean" },
}, USAGE);
const { values: { json, write }, positionals: [folder, ...rest] } = args;
if (!folder || rest.length > 0) fail(USAGE);

let config;
try {
  config = readConfig();
} catch (error) {
  fail(`Wrong setting ${(error as Error).message}`);
}
for (const text of misspelt()) console.error(text);

let data_dir: string;
try {
  data_dir = await Deno.realPath(folder);
  // Throws for what is no folder, and for one that may not be listed.
  await Deno.readDir(data_dir)[Symbol.asyncIterator]().next();
} catch {
  fail(`${harmless(folder)} is no folder that this process may read`);
}
// Before the work, since it would be for nothing.
if (write && await isThere(`${data_dir}/${MAPPING_FILE}`)) {
  fail(IS_THERE);
}

let working;
try {
  working = await claimWorkFolder(config.STAGING_DIR);
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  fail(`Wrong setting ${error.message}`);
}
try {
  await using parquet = await openParquetSampler(working.path, {
    memory_limit: config.DUCKDB_MEMORY_LIMIT,
    threads: config.DUCKDB_THREADS,
    data_dir,
  });
  const { samples, unread } = await sampleFolder(data_dir, {
    csv_encoding: config.CSV_ENCODING,
    xlsx_max_bytes: config.XLSX_MAX_BYTES,
    unpack: {
      folder: working.path,
      max_file_bytes: config.MAX_FILE_BYTES,
      zip_max_bytes: config.ZIP_MAX_BYTES,
    },
    readParquet: parquet.read,
  });
  const draft = draftMapping(samples, { date_order: config.DATE_ORDER });
  const suggestion = suggestionOf(draft, unread);
  const is_empty = draft.sources.length === 0;
  if (is_empty) Deno.exitCode = draft.fitting.length > 0 ? 0 : 1;
  print(
    json
      ? JSON.stringify({ data: suggestion })
      : evidenceText(suggestion) + endOf(suggestion),
  );
  if (!is_empty && write) await writeMapping(suggestion);
} finally {
  await working.release();
}

/** What follows the evidence on the terminal: the draft, or why there is none. */
function endOf({ toml, sources, fitting, left }: Suggestion): string {
  if (sources.length > 0) return write ? "" : `\n${harmless(toml)}`;
  if (fitting.length === 0 && left.length === 0) {
    return "No mapping is proposed: the folder has no exports.";
  }
  return fitting.length > 0 && left.length === 0
    ? "No mapping is needed."
    : "No mapping is proposed.";
}

async function writeMapping(
  { toml, questions }: Suggestion,
): Promise<void> {
  const schema = `${JSON.stringify(mappingJsonSchema(), null, 2)}\n`;
  // The mapping last: where it is, the next try writes nothing.
  for (
    const [name, text] of [[MAPPING_SCHEMA_FILE, schema], [MAPPING_FILE, toml]]
  ) {
    try {
      await writeNew(`${data_dir}/${name}`, text);
    } catch (error) {
      const is_there = error instanceof Deno.errors.AlreadyExists;
      if (is_there && name === MAPPING_SCHEMA_FILE) continue;
      console.error(is_there ? IS_THERE : cannotBeWritten(name, error));
      Deno.exitCode = 1;
      return;
    }
  }
  console.error(
    `Wrote ${MAPPING_FILE} and ${MAPPING_SCHEMA_FILE}. ${
      questions.length > 0 ? "Answer its questions, then run" : "Now run"
    } deno task check-data.`,
  );
}

/** Writes a file where none is: all of it, or nothing stays. */
async function writeNew(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  try {
    await writeAll(file, new TextEncoder().encode(text));
    await file.sync();
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}
