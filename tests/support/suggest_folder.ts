/** Drafts a mapping for files, as `deno task suggest` does. */

import { openParquetSampler } from "../../db/duckdb/sample_parquet.ts";
import { draftMapping } from "../../db/suggest/draft.ts";
import { type Suggestion, suggestionOf } from "../../db/suggest/evidence.ts";
import { sampleFolder } from "../../db/suggest/sample_files.ts";
import { dataFolder, type Files } from "./data_folder.ts";

/** The suggestion for a folder with these files. */
export async function suggest(
  files: Files,
  limits = { max_file_bytes: 1 << 28, zip_max_bytes: 1 << 28 },
): Promise<Suggestion> {
  await using folder = await dataFolder(files);
  await using working = await dataFolder();
  await using parquet = await openParquetSampler(working.path, {
    memory_limit: "200MB",
    threads: 1,
    data_dir: folder.path,
  });
  const { samples, unread } = await sampleFolder(folder.path, {
    csv_encoding: "windows-1252",
    xlsx_max_bytes: 1 << 28,
    unpack: { folder: working.path, ...limits },
    readParquet: parquet.read,
  });
  return suggestionOf(draftMapping(samples, { date_order: "DMY" }), unread);
}
