/** Tells whether an error of DuckDB is of the file that it was reading, or of memory, disk and this program. */

import { MEND_FILE } from "../intake/csv_scanner.ts";
import { lineOf, type StagedFile } from "../intake/stage_file.ts";
import { type LoadProblem, refused, StoreError } from "../model/problems.ts";

const BYTES_OF: Readonly<Record<string, number>> = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * The refusal of `staged`, where an error of DuckDB is of that file; else the error.
 * With `only_looks`, the statement that failed did nothing but look into the file.
 */
export function readError(
  error: unknown,
  staged: StagedFile,
  { only_looks = false }: { readonly only_looks?: boolean } = {},
): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error;
  const { file, staged_path, text } = staged;
  // The message must not show the path of the staging folder.
  const [first] = error.message.replaceAll(staged_path, file).split("\n");
  const problem = problemOfValues(first, staged) ??
    (text ? undefined : problemOfParquet(first, {
      only_looks,
      names_file: error.message.includes(staged_path),
    }));
  return problem ? refused({ file, ...problem }) : error;
}

// DuckDB's own message, such as "Invalid Input Error: CSV Error on Line: 3 …".
function problemOfValues(
  message: string,
  staged: StagedFile,
): LoadProblem | undefined {
  if (
    !/^(Invalid|Invalid Input|Conversion|Parameter Not Allowed) Error/.test(
      message,
    )
  ) return undefined;
  const record = Number(/on Line: (\d+)/.exec(message)?.[1]);
  return {
    line: record ? lineOf(staged, record) : undefined,
    problem: message,
    remedy: MEND_FILE,
  };
}

/** What damaged bytes of Parquet make of DuckDB besides: nothing has looked at them before. */
function problemOfParquet(
  message: string,
  { only_looks, names_file }: {
    readonly only_looks: boolean;
    readonly names_file: boolean;
  },
): LoadProblem | undefined {
  const [, kind, detail] = /^([\w ]+) Error: (.*)/.exec(message) ?? [];
  if (kind === "Out of Memory") return problemOfMemory(detail);
  // The system's words, but those for a place that no file has.
  const is_of_disk = /": (?!Invalid argument)[A-Z]/.test(detail);
  const is_damage = kind === "IO"
    ? (only_looks || names_file) && !is_of_disk
    : only_looks
    ? kind !== undefined && kind !== "INTERRUPT" && kind !== "FATAL"
    : ["INTERNAL", "Not implemented", "Out of Range"].includes(kind);
  return is_damage
    ? { problem: `not a sound Parquet file: ${detail}`, remedy: MEND_FILE }
    : undefined;
}

/** Of memory that is wanted in one piece, and more than all that there may be: many pieces of a good file are no claim. */
function problemOfMemory(detail: string): LoadProblem | undefined {
  const size = /([\d.]+) (\w+)/.source;
  const [, ...found] = new RegExp(
    `^failed to allocate data of size ${size} \\(${size}/${size} used\\)`,
  ).exec(detail) ?? [];
  const bytes = (at: number) =>
    Number(found[at]) * (BYTES_OF[found[at + 1]] ?? 1);
  if (!(bytes(0) > bytes(4))) return undefined;
  return {
    problem: `it asks for ${found[0]} ${
      found[1]
    } of memory in one piece, more than DUCKDB_MEMORY_LIMIT`,
    remedy: "Export it again, or raise DUCKDB_MEMORY_LIMIT",
  };
}
