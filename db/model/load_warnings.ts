/** Describes loaded data that may be a mistake. */

import { count } from "./count.ts";
import { MOST_NAMES } from "./dimensions.ts";
import type { FileReport, LoadReport, Warning, WarningKind } from "./report.ts";
import { slashForms, sumOfRows } from "./row_problems.ts";

/** How many names a sentence lists. */
const NAMES_LISTED = 10;

/** The warnings of a load, the most important first. */
export function loadWarnings(
  report: Omit<LoadReport, "warnings">,
  has_topics: boolean,
): Warning[] {
  const { files, ignored, ignored_files, mapping } = report;
  const months = report.months_without_topic;
  const uncounted = (mapping?.attributes ?? [])
    .filter(({ is_counted }) => !is_counted);
  const warnings: readonly [WarningKind, number, string, string[]?][] = [
    [
      "orphan_customers",
      mapping?.has_customers === false ? 0 : report.orphan_customers,
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
    ...files.flatMap(fileWarnings),
    [
      "duplicate_interactions",
      report.duplicate_interactions,
      "interactions that repeat another; they are counted",
    ],
    [
      "merged_interactions",
      report.merged_interactions,
      mapping
        ? "interactions that another row has as well, counted once"
        : "interactions in several overlapping exports, counted once",
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
    [
      "sources_without_files",
      mapping?.sources_without_files.length ?? 0,
      "tables of tally.toml that match no file",
      [...mapping?.sources_without_files ?? []],
    ],
    [
      "uncounted_attributes",
      uncounted.length,
      `attributes of more than ${
        count(MOST_NAMES)
      } values, which are shown, but nothing is counted by them`,
      uncounted.map(({ name, names }) => `${name}: ${count(names)} values`),
    ],
    [
      "salesforce_pairs",
      mapping?.salesforce_pairs ?? 0,
      'ids of 15 characters that are also there with 18, as Salesforce writes one record; kind = "salesforce" joins them',
    ],
    [
      "anonymous_interactions",
      mapping?.anonymous_interactions ?? 0,
      "interactions of nobody who is known, counted for no customer",
    ],
  ];
  return warnings.filter(([, number]) => number > 0)
    .map(([kind, number, what, names]) => ({
      kind,
      count: number,
      text: `${what}: ${count(number)}${
        names ? ` (${listed(names, number)})` : ""
      }`,
    }));
}

function fileWarnings(
  file: FileReport,
): [WarningKind, number, string, string[]?][] {
  const { date_order, spreadsheet_dates: native, rows_read } = file;
  const { this_form, other_form } = slashForms(date_order?.order ?? "DMY");
  const { only_this = 0, only_other = 0 } = date_order ?? {};
  const texts = only_other + sumOfRows(
    file.date_forms.filter(({ form }) => form === this_form),
  );
  const is_mixed = native > 0 && texts > 0;
  return [
    [
      "mixed_dates",
      is_mixed ? native + texts : 0,
      `times of ${file.file} of two kinds`,
      [
        `${count(native)} dates of the spreadsheet and ${
          count(texts)
        } texts such as 31/12/2019`,
        "a spreadsheet program that expects the other order of day and month may have swapped them in the former",
        "export again, and do not open the file before it is delivered",
      ],
    ],
    [
      "date_orders",
      !is_mixed && only_this > 0 ? only_other : 0,
      `dates of ${file.file} that fit only ${other_form} and are set aside`,
      [`${count(only_this)} fit only ${this_form}`],
    ],
    [
      "sentinel_times",
      file.sentinel_times,
      `times of ${file.file} that may stand for no time, 1900-01-01 or 1970-01-01 at midnight; they are kept`,
    ],
    [
      "without_customer",
      file.rows_without_customer * 2 > rows_read
        ? file.rows_without_customer
        : 0,
      `rows of ${file.file} without a customer, more than half of the file; they are not counted`,
    ],
    [
      "unmatched_customers",
      file.rows_unmatched ?? 0,
      `rows of ${file.file} that match no customer; they are not counted`,
    ],
    [
      "summary_rows",
      file.summary_rows.length,
      `rows of ${file.file} that may sum up others, by a label such as Total in a column that is not used; they are kept`,
      file.summary_rows.map((line) => `line ${line}`),
    ],
    [
      "na_types",
      file.na_types,
      `customers of ${file.file} with the type NA, which is read as no value`,
    ],
  ];
}

function listed(names: readonly string[], all: number): string {
  const shown = names.slice(0, NAMES_LISTED);
  const more = all - shown.length;
  return shown.join("; ") +
    (more > 0 ? `; and ${count(more)} more` : "");
}
