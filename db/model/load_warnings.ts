/** Describes loaded data that may be a mistake. */

import type { LoadReport, Warning, WarningKind } from "./report.ts";

/** How many names a sentence lists. */
const NAMES_LISTED = 10;

/** The warnings of a load, the most important first. */
export function loadWarnings(
  report: Omit<LoadReport, "warnings">,
  has_topics: boolean,
): Warning[] {
  const { files, ignored, ignored_files } = report;
  const months = report.months_without_topic;
  const warnings: readonly [WarningKind, number, string, string[]?][] = [
    [
      "orphan_customers",
      report.orphan_customers,
      "customers known only from interactions, so without type and occupation",
    ],
    [
      "conflicting_customers",
      report.conflicting_customers,
      "customers with different records; the later record is used",
    ],
    [
      "future_interactions",
      report.future_interactions,
      "interactions in the future",
    ],
    [
      "duplicate_interactions",
      report.duplicate_interactions,
      "interactions that repeat another; they are counted",
    ],
    [
      "merged_interactions",
      report.merged_interactions,
      "interactions in several overlapping exports, counted once",
    ],
    [
      "no_topics",
      has_topics ? 0 : report.interactions,
      "interactions without a topic, because no file names a product",
    ],
    [
      "months_without_topic",
      months.length,
      "months that have interactions but no product, so no topic",
      [...months],
    ],
    ...files.map(({ file, passed_over_columns }): typeof warnings[number] => [
      "passed_over_columns",
      passed_over_columns.length,
      `columns of ${file} that are not used, because another one counts`,
      passed_over_columns.map(({ used, passed_over }) =>
        `${passed_over}: ${used} is used`
      ),
    ]),
    ...files.map(({ file, unknown_columns }): typeof warnings[number] => [
      "unknown_columns",
      unknown_columns.length,
      `columns of ${file} that are not used`,
      [...unknown_columns],
    ]),
    [
      "ignored_files",
      ignored_files,
      "files that are not read",
      ignored.map(({ file, reason }) => `${file}: ${reason}`),
    ],
  ];
  return warnings.filter(([, count]) => count > 0)
    .map(([kind, count, what, names]) => ({
      kind,
      count,
      text: `${what}: ${count.toLocaleString("en-US")}${
        names ? ` (${listed(names, count)})` : ""
      }`,
    }));
}

function listed(names: readonly string[], count: number): string {
  const shown = names.slice(0, NAMES_LISTED);
  const more = count - shown.length;
  return shown.join("; ") +
    (more > 0 ? `; and ${more.toLocaleString("en-US")} more` : "");
}
