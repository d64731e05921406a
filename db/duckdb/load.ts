/** Loads exports into a new database: stage, clean, check, resolve names, sort, pivot. */

import type { Progress } from "../engine.ts";
import {
  type HeaderMatch,
  matchHeader,
  requireColumns,
} from "../model/contract.ts";
import { MEND_FILE } from "../intake/csv_scanner.ts";
import {
  columnsRemedy,
  layoutOf,
  lineOf,
  type StagedFile,
  type TextShape,
} from "../intake/stage_file.ts";
import {
  dataVersion,
  type ReadingRules,
  type StagedExports,
} from "../intake/staging.ts";
import {
  type CheckedFile,
  dateOrderProblems,
  type Fault,
  isOtherOrder,
  rowProblems,
  rowsUnmatched,
  rowsWithoutCustomer,
  slashForms,
  sumOfRows,
  tooManySetAside,
} from "../model/row_problems.ts";
import {
  attributeName,
  type Dimension,
  dimensionsWith,
  type NamedDimension,
  ofCustomers,
} from "../model/dimensions.ts";
import { checkAccounts, requireEqual } from "../model/load_accounts.ts";
import { loadWarnings } from "../model/load_warnings.ts";
import {
  type LoadProblem,
  refused,
  refusedForAll,
  sentence,
  StoreError,
} from "../model/problems.ts";
import type {
  ChannelCount,
  DateFormCount,
  DateOrder,
  FileReport,
  Loaded,
  SetAsideRow,
} from "../model/report.ts";
import type { Source } from "../mapping/mapping.ts";
import type { SourceFile } from "../intake/find_files.ts";
import type { Database } from "./database.ts";
import { idRule } from "./mapped_ids.ts";
import { MappedReading } from "./mapped_reading.ts";
import {
  allPassedOver,
  mappingReport,
  sourceReport,
  withoutPassedOver,
} from "./mapped_report.ts";
import { foldNames } from "./name_keys.ts";
import { readError } from "./read_errors.ts";
import { composedSql } from "./record_sql.ts";
import {
  countOtherEnds,
  describeParquet,
  isNested,
  isTooPrecise,
  type NativeColumn,
  nativeColumns,
  parquetRows,
  parquetSchema,
  textRows,
} from "./source_view.ts";

/** The settings that a load needs. */
export interface LoadSettings extends ReadingRules {
  /** Share of a file's rows that may be set aside. */
  readonly max_set_aside: number;
  /** The number of rows set aside that are listed. */
  readonly set_aside_kept: number;
  readonly max_channels: number;
}

/** How one load is done. */
export interface LoadOptions extends LoadSettings {
  /** Whether a file with too many rows set aside is refused; else the report lists it. */
  readonly strict: boolean;
  readonly progress: Progress;
}

const MAX_TOPIC_SETS = 65_535;
/** The largest number of interactions that rows with a count stand for. */
const MAX_COUNTED = 100_000_000;
/** The number of ignored files, and of columns and lines of one file, that a report lists. */
const NAMES_KEPT = 100;

/**
 * Loads `exports` into `database`, which may read their folder. Throws a refusal
 * that names every problem found.
 */
export async function loadExports(
  database: Database,
  exports: StagedExports,
  options: LoadOptions,
): Promise<Loaded> {
  const { strict, progress } = options;
  const began = performance.now();
  await database.runFile("load/1_stage/settings", {
    date_order: options.date_order,
    time_zone: options.time_zone,
  });
  await database.runFile("load/1_stage/rules");
  await database.runFile("load/1_stage/staging_tables");

  const { mapping } = exports;
  const reading = new MappedReading(database, mapping);
  await reading.begin();
  const { loaded, refusals } = await stageAll(database, exports, {
    ...options,
    reading,
  });
  const files = mapping ? await withoutPassedOver(database, loaded) : loaded;
  progress("checking");
  await database.runFile("load/2_clean/kept_rows");
  await database.runFile("load/2_clean/set_aside");
  const set_aside = await readSetAside(database, files, options);
  const dates = await readDates(database, files, { set_aside, options });
  const checked = checkedFiles(files, set_aside);
  const problems = [
    ...allPassedOver(files),
    ...dates.problems,
    ...rowProblems(checked, {
      ...options,
      date_order_problems: dates.problems,
      only_empty: !strict && refusals.length === 0,
    }),
  ];
  if (problems.length > 0) refusals.push(refused(...problems));
  if (refusals.length > 0) throw refusedForAll(refusals);
  const has_counts = mapping?.sources.some(hasCounts) ?? false;
  if (has_counts) await checkCounted(database, files);
  const too_many = tooManySetAside(checked, options);
  const doubts = await readDoubts(database, files);
  await database.runFile("load/2_clean/spellings");
  const dimensions = dimensionsWith(mapping?.attributes ?? []);
  await foldNames(
    database,
    await composedSql("load/2_clean/names_to_fold", dimensions),
  );
  const has_activities = mapping?.sources.some(hasActivities) ?? false;
  await database.runFile(
    has_activities
      ? "load/2_clean/latest_interactions"
      : "load/2_clean/rare_interactions",
  );
  const has_text_ids = reading.id_kind !== "integer";
  if (has_text_ids) await database.runFile("load/2_clean/ids");

  progress("resolving names");
  await database.runFile("load/2_clean/channels");
  const channels = await names(database, "channels", { column: "channel" });
  await checkChannels(database, channels.length, options);
  await database.runFile("load/2_clean/topics");
  const topics = await names(database, "topics", { column: "topic" });
  checkLimited(dimensions, { topic: topics });
  await database.runFile("load/2_clean/topic_sets");
  const [{ topic_sets }] = await database.run(
    "select count(*)::integer as topic_sets from topic_sets",
  );
  checkNames("sets of topics", topic_sets as number, { max: MAX_TOPIC_SETS });
  const { sql } = await composedSql("load/3_tables/customers", dimensions);
  await database.run(sql);
  const names_of = await limitedNames(database, dimensions);
  checkLimited(dimensions, names_of);
  if (mapping?.has_names) {
    await database.runFile("load/3_tables/customer_names");
  }

  progress("sorting interactions");
  if (has_counts) await database.runFile("load/3_tables/repeated_rows");
  await database.runFile("load/3_tables/interaction_sources");
  await database.runFile(
    has_text_ids
      ? "load/3_tables/text_sources"
      : "load/3_tables/integer_sources",
  );
  const overlap = await findOverlap(database, exports);
  if (overlap) {
    await database.runFile("load/3_tables/overlapping_copies", overlap);
    await database.runFile("load/3_tables/merged_interactions", overlap);
  } else await database.runFile("load/3_tables/interactions");
  const merged = await readMerged(database, {
    overlap: overlap !== null,
    has_activities,
  });
  progress("counting per channel");
  await database.runFile("load/3_tables/customer_channels");
  const loaded_at = new Date().toISOString();
  const [of_customers] = await database.runFile(
    "load/3_tables/customer_totals",
  );
  const [of_interactions] = await database.runFile(
    "load/3_tables/interaction_totals",
    { now: loaded_at },
  );
  const totals = { ...of_customers, ...of_interactions };
  const months = topics.length > 0
    ? await database.runFile("load/3_tables/months_without_topic")
    : [];
  await database.runFile("load/3_tables/products");
  const total = (name: string) => Number(totals[name]);
  const upcoming = total("future_interactions") > 0
    ? await database.runFile("load/3_tables/upcoming", { now: loaded_at })
    : [];
  await requireEveryRow(database, files, set_aside);
  const merged_interactions = total("interaction_sources") -
    total("interactions");
  const dropped = await composedSql("load/3_tables/drop_staging", dimensions);
  await database.run(dropped.sql);
  const report = {
    data_version: dataVersion(files.map(({ staged }) => staged), {
      ...options,
      mapping,
    }),
    loaded_at,
    seconds: secondsSince(began),
    files: files.map((file) => ({
      ...fileReport(file, set_aside),
      ...unusedColumns(file, files),
      interactions_merged: merged.get(file.number) ?? 0,
      date_forms: dates.forms.get(file.number) ?? [],
      date_order: dates.orders.get(file.number) ?? null,
      spreadsheet_dates: file.staged.native_dates ?? 0,
      ...NO_DOUBTS,
      ...doubts.get(file.number),
    })),
    ignored: exports.ignored.slice(0, NAMES_KEPT),
    ignored_files: exports.ignored.length,
    set_aside_listed: set_aside.listed,
    customers: total("customers"),
    ...mapping && { mapping: await mappingReport(database, exports) },
    example_customer_id: has_text_ids
      ? await firstId(database)
      : total("first_customer_id") || null,
    // Everyone who has a record is among the customers, once.
    orphan_customers: total("customers") - total("customer_records"),
    conflicting_customers: total("conflicting_customers"),
    interactions: total("interactions"),
    duplicate_interactions: total("duplicate_interactions"),
    merged_interactions,
    future_interactions: total("future_interactions"),
    date_range: totals.first_day === null ? null : {
      first: totals.first_day as string,
      last: totals.last_day as string,
    },
    latest_interaction: totals.latest_interaction as string | null,
    upcoming: upcoming.map(({ latest }) => latest as string),
    time_zone: options.time_zone,
    channels: await countChannels(database),
    too_many_set_aside: too_many.map(sentence),
    types: names_of.type,
    months_without_topic: months.map(({ month_number }) =>
      monthText(Number(month_number))
    ),
  };
  checkAccounts(report);

  return {
    channels,
    topics,
    row_counts: {
      customers: total("customer_records"),
      interactions: total("interactions"),
      products: total("products"),
    },
    report: {
      ...report,
      files: report.files.map(withShortLists),
      // They count what the lists leave out.
      warnings: loadWarnings(report, topics.length > 0),
    },
  };
}

// Only top-level exports can overlap, and only two or more; the query reads every row.
async function findOverlap(
  database: Database,
  { files }: StagedExports,
): Promise<{ first: string; last: string } | null> {
  const sources = files.filter(merges).map(({ source }) => source?.number);
  if (new Set(sources).size === sources.length) return null;
  const [{ first, last }] = await database.runFile("load/3_tables/overlap");
  return first === null
    ? null
    : { first: first as string, last: last as string };
}

/** Whether what a file of interactions has may be in another one of its source as well. */
function merges({ table, part, source }: SourceFile): boolean {
  return table === "interactions" && !part &&
    !(source && hasActivities(source));
}

function hasActivities({ rules }: Source): boolean {
  return rules.activity !== undefined;
}

function hasCounts({ rules }: Source): boolean {
  return rules.count !== undefined;
}

interface LoadedFile {
  readonly number: number;
  readonly staged: StagedFile;
  readonly rows_read: number;
  /** Rows that tally.toml leaves out; they are not among `rows_read`. */
  readonly rows_passed_over: number;
  readonly passed_over_columns: FileReport["passed_over_columns"];
  readonly unknown_columns: readonly string[];
  readonly seconds: number;
}

async function stageAll(
  database: Database,
  exports: StagedExports,
  { progress, reading }: LoadOptions & { readonly reading: MappedReading },
): Promise<{ loaded: LoadedFile[]; refusals: StoreError[] }> {
  const loaded: LoadedFile[] = [];
  const refusals: StoreError[] = [...exports.refusals];
  let lacks_customers = refusals.length > 0;
  for await (const copied of exports.copies(progress)) {
    const { number, source, seconds } = copied;
    // Nothing can be said of a match with customers that were not read.
    if (lacks_customers && matchesCustomers(source)) continue;
    const refuse = (problem: StoreError) => {
      refusals.push(problem);
      if (source.table === "customers") lacks_customers = true;
    };
    if ("problem" in copied) {
      refuse(copied.problem);
      continue;
    }
    const { staged } = copied;
    progress(`reading ${source.file}`);
    const began = performance.now();
    try {
      const first_row = loaded
        .filter(({ staged }) => staged.table === source.table)
        .reduce((sum, { rows_read }) => sum + rows_read, 0);
      await database.runFile("load/1_stage/add_file", {
        file: number,
        source: source.source?.number ?? 0,
        merges: merges(source),
        first_row: BigInt(first_row),
      });
      loaded.push({
        number,
        staged,
        rows_passed_over: 0,
        ...await readStaged(database, copied, { reading }),
        seconds: secondsSince(began - seconds * 1_000),
      });
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== "refused") {
        throw error;
      }
      refuse(error);
      if (await isBroken(database)) throw refusedForAll(refusals);
    }
  }
  return { loaded, refusals };
}

/** Whether DuckDB takes no more statements, as after some errors of its own. */
async function isBroken(database: Database): Promise<boolean> {
  return await database.run("select 1").then(() => false, () => true);
}

/** Whether the rows of a file find their customers by another column than the id. */
function matchesCustomers({ source }: SourceFile): boolean {
  return source !== undefined && idRule(source)?.match !== undefined;
}

async function readStaged(
  database: Database,
  { number, staged }: Pick<LoadedFile, "number" | "staged">,
  { reading }: { readonly reading: MappedReading },
): Promise<
  Pick<LoadedFile, "rows_read" | "passed_over_columns" | "unknown_columns">
> {
  const { file, table, text } = staged;
  const ids_as_text = reading.readsIds(staged);
  try {
    let match: HeaderMatch;
    let headers: readonly string[];
    let rows: string;
    if (text) {
      const shape = await withTrailingCell(database, staged, { text });
      ({ match } = text.header);
      // The text of a sheet has the names of the contract.
      headers = staged.format === "xlsx" ? match.unknown : text.header.names;
      rows = textRows(staged, shape, { ids_as_text });
    } else {
      const columns = await readColumns(database, staged);
      headers = columns.map(({ header }) => header);
      match = matchHeader(layoutOf(staged), headers);
      requireColumns(headers, match, { file, remedy: columnsRemedy(staged) });
      requireReadableColumns(file, columns, match);
      rows = parquetRows(staged, match, { columns, ids_as_text });
    }
    if (table === "customers") {
      reading.addCustomers({
        file,
        headers,
        columns: Object.keys(match.positions),
        unknown: match.unknown,
      });
    }
    await database.run(
      `create or replace temp view source as ${await reading.rowsOf(
        staged,
        rows,
      )}`,
    );
    if (table === "interactions") {
      await database.runFile("load/1_stage/common_spellings");
    }
    // A statement with a param would be planned twice.
    await database.run(`set variable file = ${number}`);
    const [{ Count }] = await database.runFile(`load/1_stage/stage_${table}`);
    await reading.endFile();
    const rows_read = Number(Count);
    requireWholeText(staged, rows_read);
    if (!text && reading.id_kind === "integer") {
      await requireIds(database, staged);
    }
    return {
      rows_read,
      passed_over_columns: match.passed_over,
      unknown_columns: match.unknown,
    };
  } catch (error) {
    throw readError(error, staged);
  }
}

/** The columns of a Parquet file. Throws a refusal when it is damaged. */
async function readColumns(
  database: Database,
  staged: StagedFile,
): Promise<NativeColumn[]> {
  let columns: NativeColumn[];
  try {
    columns = nativeColumns(
      await database.run(describeParquet(staged)),
      await database.run(parquetSchema(staged)),
    );
  } catch (error) {
    throw readError(error, staged, { only_looks: true });
  }
  const cut = columns.find(({ name }) => name.includes("\0"));
  if (!cut) return columns;
  // It would cut off the SQL that names it.
  throw refused({
    file: staged.file,
    line: 1,
    problem: `a NUL in the name of a column, ${
      JSON.stringify(cut.header.slice(0, 60))
    }`,
    remedy: MEND_FILE,
  });
}

/** The first of the ids that are texts; null where there is none. */
async function firstId(database: Database): Promise<string | null> {
  const [first] = await database.run(
    "select id from ids order by customer_id limit 1",
  );
  return first ? first.id as string : null;
}

// A delimiter at the end of every row is a habit of some programs, and no cell.
async function withTrailingCell(
  database: Database,
  staged: StagedFile,
  { text }: { readonly text: TextShape },
): Promise<TextShape> {
  if (!text.trailing_delimiter) return text;
  const { header } = text;
  const longer = {
    ...text,
    header: { ...header, names: [...header.names, ""] },
  };
  const [{ rows }] = await database.run(countOtherEnds(staged, longer));
  return rows === 0 ? longer : text;
}

// As text, a nested value would become a name or an id that is not in the data.
function requireReadableColumns(
  file: string,
  columns: readonly NativeColumn[],
  { positions }: HeaderMatch,
): void {
  const used = Object.values(positions).flatMap((position) =>
    position === undefined ? [] : [columns[position]]
  );
  const refuse = (what: string, columns: readonly NativeColumn[]) => {
    if (columns.length === 0) return [];
    const names = columns.map(({ header }) =>
      JSON.stringify(header.slice(0, 60))
    );
    return [{
      file,
      line: 1,
      problem: `${what} in ${names.join(", ")}`,
      remedy: "Write each of these columns as text, a number or a time",
    }];
  };
  const problems = [
    ...refuse("nested values", used.filter(isNested)),
    ...refuse("decimals of more than 38 digits", used.filter(isTooPrecise)),
  ];
  if (problems.length > 0) throw refused(...problems);
}

/** Throws a refusal when ids of a Parquet file are none, and its statistics say that they are. */
async function requireIds(
  database: Database,
  { file }: StagedFile,
): Promise<void> {
  const [{ rows }] = await database.runFile("load/1_stage/impossible_ids");
  if (Number(rows) === 0) return;
  throw refused({
    file,
    problem: "not a sound Parquet file: its statistics are not of its values",
    remedy: MEND_FILE,
  });
}

/** Throws a refusal unless DuckDB has read every row that staging has counted below the header of a text. */
function requireWholeText(
  { file, row_numbers }: StagedFile,
  rows_read: number,
): void {
  const rows = row_numbers ? row_numbers.count - 1 : rows_read;
  if (rows === rows_read) return;
  throw refused({
    file,
    problem: `${rows} rows are in it, and ${rows_read} were read`,
    remedy: MEND_FILE,
  });
}

interface SetAside {
  readonly counts: ReadonlyMap<number, readonly Fault[]>;
  readonly listed: readonly SetAsideRow[];
}

async function readSetAside(
  database: Database,
  files: readonly LoadedFile[],
  { set_aside_kept }: LoadSettings,
): Promise<SetAside> {
  const staged_files = new Map(
    files.map(({ number, staged }) => [number, staged]),
  );
  const counts = new Map<number, Fault[]>();
  for (const row of await database.runFile("load/2_clean/set_aside_counts")) {
    const file = row.file as number;
    const staged = staged_files.get(file)!;
    const fault = {
      column: shownColumn(staged, row.column_name as string),
      reason: row.reason as string,
      rows: Number(row.rows),
      line: lineOf(staged, Number(row.line)),
      value: row.value as string | null,
    };
    counts.set(file, [...counts.get(file) ?? [], fault]);
  }
  const listed = await database.runFile("load/2_clean/set_aside_rows", {
    set_aside_kept,
  });
  return {
    counts,
    listed: listed.map((row): SetAsideRow => {
      const staged = staged_files.get(row.file as number)!;
      return {
        file: staged.file,
        line: lineOf(staged, Number(row.line)),
        column: shownColumn(staged, row.column_name as string),
        value: row.value as string | null,
        reason: row.reason as string,
      };
    }),
  };
}

// The SQL calls a column of a condition or of a match by a number; the report has its header.
function shownColumn(staged: StagedFile, column: string): string {
  const attribute = attributeName(column);
  if (attribute !== undefined) return attribute;
  if (!/^(where|match)_\d+$/.test(column)) return column;
  return layoutOf(staged).columns.find(({ name }) => name === column)!
    .headers[0];
}

/** What decides whether rows set aside refuse a file. */
function checkedFiles(
  files: readonly LoadedFile[],
  { counts }: SetAside,
): CheckedFile[] {
  return files.map((
    { number, staged: { file, table, source }, rows_read },
  ) => ({
    file,
    table,
    rows_read,
    faults: counts.get(number) ?? [],
    source: source?.key,
  }));
}

interface Dates {
  readonly forms: ReadonlyMap<number, readonly DateFormCount[]>;
  readonly orders: ReadonlyMap<number, DateOrder>;
  /** Files whose dates disprove DATE_ORDER. */
  readonly problems: readonly LoadProblem[];
}

async function readDates(
  database: Database,
  files: readonly LoadedFile[],
  { set_aside, options: { date_order } }: {
    readonly set_aside: SetAside;
    readonly options: ReadingRules;
  },
): Promise<Dates> {
  // By the codes of time_form and month_form in sql/load/1_stage/rules.sql;
  // date_forms counts those of D/M/YYYY as one.
  const form_names = [
    "native",
    slashForms(date_order).this_form,
    "YYYY-MM-DD",
    "YYYY-MM-DD with an offset",
    "M-YYYY",
    "YYYY-MM",
    "D.M.YYYY",
    "YYYY/MM/DD",
    "number of a day",
    "Mon-YYYY",
    "as tally.toml says",
  ];
  const forms = new Map<number, DateFormCount[]>();
  const orders = new Map<number, DateOrder>();
  for (const row of await database.runFile("load/2_clean/date_forms")) {
    const file = row.file as number;
    const form = row.date_form as number;
    if (row.kept) {
      const count = { form: form_names[form], rows: Number(row.rows) };
      forms.set(file, [...forms.get(file) ?? [], count]);
    }
    if (form !== 1) continue;
    const others = (set_aside.counts.get(file) ?? []).filter(isOtherOrder);
    const before = orders.get(file)?.only_this ?? 0;
    orders.set(file, {
      order: date_order,
      only_this: before + Number(row.decisive),
      only_other: sumOfRows(others),
    });
  }

  const first_days = new Map(
    (await database.runFile("load/2_clean/first_days")).map((
      { file, year, day, rows },
    ) => [file as number, {
      year: Number(year),
      day: Number(day),
      rows: Number(rows),
    }]),
  );
  const problems = dateOrderProblems(
    checkedFiles(files, set_aside).map((file, i) => ({
      ...file,
      has_native_dates: Boolean(files[i].staged.native_dates),
      evidence: orders.get(files[i].number),
      first_days: first_days.get(files[i].number),
    })),
    date_order,
  );
  return { forms, orders, problems };
}

/** What of a file may not be as meant, row by row. */
type Doubts = Pick<
  FileReport,
  "sentinel_times" | "na_types" | "summary_rows"
>;

const NO_DOUBTS: Doubts = { sentinel_times: 0, na_types: 0, summary_rows: [] };

async function readDoubts(
  database: Database,
  files: readonly LoadedFile[],
): Promise<ReadonlyMap<number, Partial<Doubts>>> {
  const doubts = new Map<number, Partial<Doubts>>();
  for (const row of await database.runFile("load/2_clean/doubtful_rows")) {
    doubts.set(row.file as number, {
      sentinel_times: Number(row.sentinel_times),
      na_types: Number(row.na_types),
    });
  }
  const summary_rows = Map.groupBy(
    await database.runFile("load/2_clean/summary_rows"),
    ({ file }) => file as number,
  );
  for (const [file, rows] of summary_rows) {
    const { staged } = files.find(({ number }) => number === file)!;
    doubts.set(file, {
      ...doubts.get(file),
      summary_rows: rows.map(({ line }) => lineOf(staged, Number(line))),
    });
  }
  return doubts;
}

async function readMerged(
  database: Database,
  { overlap, has_activities }: {
    readonly overlap: boolean;
    readonly has_activities: boolean;
  },
): Promise<ReadonlyMap<number, number>> {
  // A file is counted in one of them: with ids, no overlap is looked for.
  const rows = [
    ...overlap ? await database.runFile("load/3_tables/merged_counts") : [],
    ...has_activities
      ? await database.runFile("load/3_tables/superseded_counts")
      : [],
  ];
  return new Map(
    rows.map((
      { file, interactions },
    ) => [file as number, Number(interactions)]),
  );
}

async function countChannels(database: Database): Promise<ChannelCount[]> {
  const rows = await database.runFile("load/3_tables/channel_counts");
  return rows.map(({ channel, interactions }) => ({
    channel: channel as string,
    interactions: Number(interactions),
  }));
}

async function names(
  database: Database,
  table: string,
  { column }: { readonly column: string },
): Promise<string[]> {
  const rows = await database.run(
    `select ${column} as name from ${table} order by ${column}`,
  );
  return rows.map(({ name }) => name as string);
}

/** The names of those dimensions of customers of which a load may not have too many. */
async function limitedNames(
  database: Database,
  dimensions: readonly NamedDimension[],
): Promise<Record<Dimension, string[]>> {
  const names_of: Record<Dimension, string[]> = {};
  for (const { name, column, refused_above } of ofCustomers(dimensions)) {
    if (refused_above === null) continue;
    names_of[name] = await names(database, `${column}_names`, {
      column: "name",
    });
  }
  return names_of;
}

/** Throws a refusal where one of these dimensions has too many names. */
function checkLimited(
  dimensions: readonly NamedDimension[],
  names_of: Readonly<Record<Dimension, readonly string[]>>,
): void {
  for (const { name, plural, refused_above } of dimensions) {
    if (refused_above === null || !names_of[name]) continue;
    checkNames(plural, names_of[name].length, { max: refused_above });
  }
}

async function checkChannels(
  database: Database,
  count: number,
  { max_channels }: LoadSettings,
): Promise<void> {
  const ambiguous = await database.runFile("load/2_clean/ambiguous_aliases");
  if (ambiguous.length > 0) {
    throw refused(...ambiguous.map(({ key, channels }) => ({
      file: "channels",
      problem: `${
        JSON.stringify(key)
      } stands for several channels: ${channels}`,
      remedy: "Let each alias stand for one channel",
    })));
  }
  checkNames("channels", count, {
    max: max_channels,
    or: ", or raise MAX_CHANNELS",
  });
}

/** Throws unless every row that was read is kept or set aside; both are counted on their own. */
async function requireEveryRow(
  database: Database,
  files: readonly LoadedFile[],
  { counts }: SetAside,
): Promise<void> {
  const rows = await database.runFile("load/2_clean/kept_counts");
  const kept = new Map(rows.map(({ file, rows }) => [file, Number(rows)]));
  for (const { number, staged, rows_read } of files) {
    const set_aside = sumOfRows(counts.get(number) ?? []);
    requireEqual(`rows of ${staged.file}`, {
      whole: rows_read,
      parts: (kept.get(number) ?? 0) + set_aside,
    });
  }
}

/** Throws a refusal when counts add up to so much that they must be another column. */
async function checkCounted(
  database: Database,
  files: readonly LoadedFile[],
): Promise<void> {
  const counted = await database.runFile("load/2_clean/counted");
  const sum = sumOf(counted.map(({ interactions }) => Number(interactions)));
  if (sum <= MAX_COUNTED) return;
  const { staged } = files.find(({ number }) => number === counted[0].file)!;
  throw refused({
    file: staged.file,
    problem: `its rows stand for ${
      counted[0].interactions
    } interactions by their count; all files together may have ${MAX_COUNTED}`,
    remedy:
      `Check that count of ${staged.source?.key} in tally.toml names the right column`,
  });
}

function checkNames(
  what: string,
  count: number,
  { max, or = "" }: { readonly max: number; readonly or?: string },
): void {
  if (count <= max) return;
  throw refused({
    problem: `${count} different ${what}, more than ${max}`,
    remedy: `Check that the right column holds the ${what}${or}`,
  });
}

/** The columns of a file that nothing reads: two tables of tally.toml may read one file. */
function unusedColumns(
  { staged, passed_over_columns, unknown_columns }: LoadedFile,
  files: readonly LoadedFile[],
): Pick<FileReport, "passed_over_columns" | "unknown_columns"> {
  const others = files.filter((one) =>
    one.staged !== staged && one.staged.file === staged.file
  );
  return {
    passed_over_columns,
    unknown_columns: unknown_columns.filter((name) =>
      others.every((one) => one.unknown_columns.includes(name))
    ),
  };
}

function withShortLists(file: FileReport): FileReport {
  return {
    ...file,
    passed_over_columns: file.passed_over_columns.slice(0, NAMES_KEPT),
    unknown_columns: file.unknown_columns.slice(0, NAMES_KEPT),
    summary_rows: file.summary_rows.slice(0, NAMES_KEPT),
  };
}

function fileReport(
  { number, staged, rows_read, seconds, ...columns }: LoadedFile,
  { counts }: SetAside,
): Omit<
  FileReport,
  | "interactions_merged"
  | "passed_over_columns"
  | "unknown_columns"
  | "date_forms"
  | "date_order"
  | "spreadsheet_dates"
  | keyof Doubts
> {
  const faults = counts.get(number) ?? [];
  const set_aside = faults.map(({ column, reason, rows }) => ({
    column,
    reason,
    rows,
  }));
  const rows_set_aside = sumOfRows(set_aside);
  return {
    file: staged.file,
    table: staged.table,
    bytes: staged.bytes,
    sha256: staged.sha256,
    encoding: staged.text?.encoding ?? null,
    delimiter: staged.format === "text" ? staged.text!.header.delimiter : null,
    header_line: staged.row_numbers ? lineOf(staged, 1) : null,
    rows_read,
    rows_kept: rows_read - rows_set_aside,
    rows_set_aside,
    rows_without_customer: rowsWithoutCustomer(faults),
    set_aside,
    ...staged.source && {
      ...sourceReport(staged.source),
      rows_passed_over: columns.rows_passed_over,
      rows_unmatched: rowsUnmatched(faults),
    },
    seconds,
  };
}

function sumOf(numbers: Iterable<number>): number {
  return Array.from(numbers).reduce((sum, one) => sum + one, 0);
}

function monthText(month_number: number): string {
  const year = Math.floor((month_number - 1) / 12);
  return `${year}-${String(month_number - year * 12).padStart(2, "0")}`;
}

function secondsSince(began: number): number {
  return Math.round(performance.now() - began) / 1000;
}
