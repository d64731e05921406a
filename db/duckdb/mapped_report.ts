/** What tally.toml adds to the report of a load: rows passed over, how columns were read, what may be a mistake. */

import type { StagedFile } from "../intake/stage_file.ts";
import type { StagedExports } from "../intake/staging.ts";
import type { ColumnRule, Mapping, Source } from "../mapping/mapping.ts";
import {
  attributeName,
  dimensionsWith,
  isAttribute,
} from "../model/dimensions.ts";
import type { LoadProblem } from "../model/problems.ts";
import type { FileReport, LoadReport } from "../model/report.ts";
import type { Database } from "./database.ts";
import { foldNames } from "./name_keys.ts";
import { composedSql } from "./record_sql.ts";

/** A file that was read. */
interface ReadFile {
  readonly number: number;
  readonly staged: Pick<StagedFile, "file" | "source">;
  readonly rows_read: number;
  /** Rows that tally.toml leaves out; they are not among `rows_read`. */
  readonly rows_passed_over: number;
}

/** The files with the rows that count, without those that tally.toml leaves out. */
export async function withoutPassedOver<File extends ReadFile>(
  database: Database,
  files: readonly File[],
): Promise<File[]> {
  const counts = await database.runFile("load/2_clean/passed_over");
  const passed_over = new Map(
    counts.map(({ file, rows }) => [file as number, Number(rows)]),
  );
  return files.map((file) => {
    const rows_passed_over = passed_over.get(file.number) ?? 0;
    return {
      ...file,
      rows_passed_over,
      rows_read: file.rows_read - rows_passed_over,
    };
  });
}

/** Why the load is refused where conditions leave nothing of any file of a source. */
export function allPassedOver(files: readonly ReadFile[]): LoadProblem[] {
  const by_source = Map.groupBy(files, ({ staged }) => staged.source);
  return [...by_source].flatMap(([source, files]) => {
    const sum = (figure: (file: ReadFile) => number) =>
      files.reduce((total, file) => total + figure(file), 0);
    const rows = sum(({ rows_passed_over }) => rows_passed_over);
    const is_empty = sum(({ rows_read }) => rows_read) === 0;
    if (!source?.where.length || rows === 0 || !is_empty) return [];
    return [{
      file: files[0].staged.file,
      problem: files.length === 1
        ? `all ${rows} rows are passed over`
        : `all ${rows} rows of this file and others are passed over`,
      remedy: `Mend skip_where or keep_where of ${source.key} in tally.toml`,
    }];
  });
}

/** What the report of a load says of tally.toml, after the load. */
export async function mappingReport(
  database: Database,
  exports: StagedExports,
): Promise<NonNullable<LoadReport["mapping"]>> {
  const mapping = exports.mapping!;
  return {
    ids: mapping.id_kind === "integer" ? "integer" : "text",
    names: mapping.has_names,
    attributes: await countAttributes(database, mapping),
    has_customers: mapping.needs_customers,
    sources_without_files: withoutFiles(mapping, exports),
    anonymous_interactions: await countAnonymous(database),
    salesforce_pairs: mapping.id_kind === "text"
      ? await countSalesforcePairs(database)
      : 0,
  };
}

/** How many names each attribute has. */
async function countAttributes(
  database: Database,
  { attributes }: Mapping,
): Promise<NonNullable<LoadReport["mapping"]>["attributes"]> {
  if (attributes.length === 0) return [];
  const dimensions = dimensionsWith(attributes);
  await foldNames(
    database,
    await composedSql("load/4_serve/record_names_to_fold", dimensions),
  );
  const { sql } = await composedSql(
    "load/3_tables/attribute_counts",
    dimensions,
  );
  const [counts] = await database.run(sql);
  return dimensions.filter(isAttribute).map(
    ({ name, column, listed_up_to }) => {
      const names = counts[column] as number;
      return { name, names, is_counted: names <= listed_up_to };
    },
  );
}

/** The sources that match no file, and what they look for. */
function withoutFiles(
  { sources }: Mapping,
  { files }: StagedExports,
): string[] {
  const found = new Set(files.map(({ source }) => source?.number));
  return sources.filter(({ number }) => !found.has(number))
    .map(({ key, files }) => `${key}: ${files}`);
}

async function countAnonymous(database: Database): Promise<number> {
  const [{ rows }] = await database.run(
    "select count(*) as rows from interactions where customer_id = 0",
  );
  return Number(rows);
}

async function countSalesforcePairs(database: Database): Promise<number> {
  const [{ pairs }] = await database.runFile("load/3_tables/salesforce_pairs");
  return Number(pairs);
}

/** What the report of a file says of its source. */
export function sourceReport(
  { key, rules }: Source,
): Pick<FileReport, "source" | "columns"> {
  const columns = Object.entries(rules).map(([column, rule]) => ({
    column: attributeName(column) ?? column,
    header: rule.headers.join(" + ") || null,
    read_as: howRead(rule),
  }));
  return { source: key, columns };
}

function howRead(rule: ColumnRule): string | null {
  const { value, format, zone, separator, match, pattern, prefix } = rule;
  const parts = [
    rule.file_name !== undefined &&
    `from the name of the file by the pattern ${rule.file_name}`,
    value !== undefined && `the value ${JSON.stringify(value)}`,
    format !== undefined && `in the form ${format}`,
    zone !== undefined && `in ${zone}`,
    separator !== undefined && `split at ${JSON.stringify(separator)}`,
    pattern !== undefined && `by the pattern ${pattern}`,
    match && `matched with ${match.header} of customers as ${match.as}`,
    rule.is_anonymous_unmatched && "counted for no customer without a match",
    prefix !== undefined && `with ${prefix} before it`,
  ].filter(Boolean);
  return parts.join(", ") || null;
}
