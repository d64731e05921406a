/** Finds tally.toml in the data folder, and reads it. */

import { type Mapping, readMapping } from "../mapping/mapping.ts";
import { MAPPING_FILE, MAPPING_MAX_BYTES } from "../mapping/mapping_file.ts";
import { refused, StoreError } from "../model/problems.ts";
import { openRegularFile } from "./open_regular_file.ts";
import { readRange } from "./read_range.ts";
import { denied } from "./unreadable.ts";

/** What is in tally.toml, or why it cannot be used. */
export type FoundMapping =
  | { readonly mapping: Mapping; readonly problem?: undefined }
  | { readonly mapping: null; readonly problem: StoreError };

/** Reads the tally.toml at `path`. Throws what Deno does when it is not there. */
export async function findMapping(path: string): Promise<FoundMapping> {
  try {
    return { mapping: readMapping(await readText(path)) };
  } catch (error) {
    const unread = denied(MAPPING_FILE, error);
    const problem = unread ? refused(unread) : error;
    if (!(problem instanceof StoreError)) throw error;
    return { mapping: null, problem };
  }
}

async function readText(path: string): Promise<string> {
  using file = await openRegularFile(path);
  const bytes = await readRange(file, {
    offset: 0,
    length: MAPPING_MAX_BYTES + 1,
  });
  if (bytes.length > MAPPING_MAX_BYTES) {
    throw refused({
      file: MAPPING_FILE,
      problem: `more than ${MAPPING_MAX_BYTES} bytes`,
      remedy: "Name several files by one glob",
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refused({
      file: MAPPING_FILE,
      problem: "bytes that are not UTF-8",
      remedy: "Save it as UTF-8",
    });
  }
}
