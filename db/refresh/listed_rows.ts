/** Compares the rows that manifest.json lists for a file with those that were read. */

import type { Look } from "../intake/export_watch.ts";
import { isOfFile } from "../intake/find_tables.ts";
import {
  type LoadProblem,
  refused,
  type StoreError,
} from "../model/problems.ts";
import type { FileReport } from "../model/report.ts";

/** The refusal of `files` whose number of rows is not that of manifest.json; for a workbook, the sum over its sheets that are read. */
export function rowsProblem(
  expected_rows: Look["expected_rows"],
  files: readonly FileReport[],
): StoreError | undefined {
  const problems: LoadProblem[] = [];
  for (const [file, rows] of expected_rows) {
    // Two tables of tally.toml may read one file, and each passes over other rows.
    const in_file = new Map(
      files.filter((one) => isOfFile(one.file, file))
        .map((one) => [one.file, one.rows_read + (one.rows_passed_over ?? 0)]),
    );
    const found = [...in_file.values()].reduce((sum, one) => sum + one, 0);
    if (in_file.size === 0 || found === rows) continue;
    problems.push({
      file,
      problem: `${found} rows, and manifest.json lists ${rows}`,
      remedy: "Deliver the whole set again, manifest.json last",
    });
  }
  return problems.length > 0 ? refused(...problems) : undefined;
}
