/** The composition root of `deno task suggest`: drafts a tally.toml from the first rows of a folder's files. */

import { readArguments } from "./operator/command_line.ts";
import { misspelt, readConfig } from "./config.ts";
import { openParquetSampler } from "./db/duckdb/sample_parquet.ts";
import {
  MAPPING_FILE,
  MAPPING_SCHEMA_FILE,
  mappingJsonSchema,
} from "./db/mapping/mapping_file.ts";
import { harmless } from "./db/model/names.ts";
import { draftMapping } from "./db/suggest/draft.ts";
import { evidenceText, suggestionOf } from "./db/suggest/evidence.ts";
import { sampleFolder } from "./db/suggest/sample_files.ts";
import { fail } from "./operator/terminal.ts";

const USAGE = "Usage: deno task suggest DIR [--write] [--json]";

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
  if (!(await Deno.stat(data_dir)).isDirectory) throw new Error("no folder");
} catch {
  fail(`${harmless(folder)} is no folder that this process may read`);
}
// Before the work, since it would be for nothing.
if (write && await exists(`${data_dir}/${MAPPING_FILE}`)) {
  fail(
    `${MAPPING_FILE} is there already, and is never overwritten. Rename it, or leave --write out.`,
  );
}

const working = await Deno.makeTempDir({
  prefix: "tally-suggest-",
  ...config.STAGING_DIR && { dir: config.STAGING_DIR },
});
try {
  await using parquet = await openParquetSampler(working, {
    memory_limit: config.DUCKDB_MEMORY_LIMIT,
    threads: config.DUCKDB_THREADS,
    data_dir,
  });
  const { samples, unread } = await sampleFolder(data_dir, {
    csv_encoding: config.CSV_ENCODING,
    xlsx_max_bytes: config.XLSX_MAX_BYTES,
    unpack: {
      folder: working,
      max_file_bytes: config.MAX_FILE_BYTES,
      zip_max_bytes: config.ZIP_MAX_BYTES,
    },
    readParquet: parquet.read,
  });
  const draft = draftMapping(samples, {
    date_order: config.DATE_ORDER,
  });
  const suggestion = suggestionOf(draft, unread);
  const is_empty = draft.sources.length === 0;
  console.log(
    json ? JSON.stringify({ data: suggestion }) : evidenceText(suggestion) +
      (is_empty
        ? draft.left.length === 0 && draft.fitting.length > 0
          ? "No mapping is needed."
          : "No mapping is proposed."
        : write
        ? ""
        : `\n${harmless(suggestion.toml)}`),
  );
  if (is_empty) Deno.exitCode = draft.fitting.length > 0 ? 0 : 1;
  else if (write) await writeMapping(suggestion.toml);
} finally {
  await Deno.remove(working, { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function writeMapping(toml: string): Promise<void> {
  try {
    // Another program may have written one meanwhile.
    await Deno.writeTextFile(`${data_dir}/${MAPPING_FILE}`, toml, {
      createNew: true,
    });
    const schema = `${data_dir}/${MAPPING_SCHEMA_FILE}`;
    if (!await exists(schema)) {
      await Deno.writeTextFile(
        schema,
        `${JSON.stringify(mappingJsonSchema(), null, 2)}\n`,
        { createNew: true },
      );
    }
  } catch (error) {
    console.error(
      `${MAPPING_FILE} could not be written: ${(error as Error).message}`,
    );
    Deno.exitCode = 1;
    return;
  }
  console.error(
    `Wrote ${MAPPING_FILE} and ${MAPPING_SCHEMA_FILE}. Answer its questions, then run deno task check-data.`,
  );
}
