/** Finds the tables in the files: each file is one, a workbook may hold several, and tally.toml may read several from one file. */

import { type Mapping, type Source, withMatches } from "../mapping/mapping.ts";
import { listed } from "../model/listed.ts";
import { type LoadProblem, refused, StoreError } from "../model/problems.ts";
import { byCodePoint } from "../model/code_points.ts";
import type { IgnoredFile } from "../model/report.ts";
import {
  foldHeader,
  TABLE_NAMES,
  type TableName,
  tableOf,
  TABLES,
  unlikeness,
} from "../model/contract.ts";
import {
  type Folder,
  type Found,
  type FoundFile,
  type SourceFile,
  type TableFile,
} from "./find_files.ts";
import { isEmptySheet } from "./stage_sheet.ts";
import { type Unpacked, type UnpackOptions, unpackZip } from "./unpack_zip.ts";
import { unreadable } from "./unreadable.ts";
import { type Sheet, Workbook } from "./workbook.ts";

/** The exports to load. */
export interface FoundTables {
  /** In the order they are loaded: by the path of their file, that of one in a ZIP without the ZIP; then by sheet. */
  readonly files: readonly SourceFile[];
  readonly ignored: readonly IgnoredFile[];
  /** Why the load is refused whatever is in these files: tables that are missing, workbooks that cannot be used. */
  readonly refusals: readonly StoreError[];
  /** What tally.toml says; null where there is none. */
  readonly mapping: Mapping | null;
}

/** Between a workbook and its sheet, in reports. */
const SHEET = ", sheet ";

/** The number of near misses that are named for a table, and of sheets of a workbook. */
const NEAR_LISTED = 5;
const SHEETS_LISTED = 10;

/** How tables are found: ZIP archives are unpacked for it. */
export interface FindTablesOptions extends UnpackOptions {
  /** The largest size of the parts of a workbook in bytes, unpacked. */
  readonly xlsx_max_bytes: number;
}

/** What ends the reading of a workbook. */
type BookLimits = Pick<FindTablesOptions, "xlsx_max_bytes" | "signal">;

/**
 * The tables in the files. That one is missing is a refusal among others, so that a
 * load names everything that is wrong in one go.
 */
export async function findExports(
  found: Found,
  { data_dir, ...options }: FindTablesOptions & { readonly data_dir: string },
): Promise<FoundTables> {
  const problem = found.mapping?.problem;
  // What the files are is not known without it.
  if (problem) {
    return { files: [], ignored: [], refusals: [problem], mapping: null };
  }
  const tables = await findTables(found, options);
  const { mapping } = tables;
  const isRequired = (table: TableName) =>
    TABLES[table].required &&
    (table !== "customers" || mapping?.needs_customers !== false);
  const folders = [...found.unfinished, ...found.unusable];
  const missing = TABLE_NAMES.filter((table) =>
    isRequired(table) && !tables.may_have.has(table) &&
    !folders.some((folder) => tablesMeant(folder).includes(table)) &&
    !tables.files.some((file) => file.table === table)
  );
  const refusals = missing.map((table) =>
    refused({
      problem: `${data_dir} has no file of ${table}${
        nearMisses(table, tables.ignored)
      }${unmatchedSources(table, mapping)}`,
      remedy:
        `Put ${table}.csv (or .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx, or a workbook with a sheet ${table}) there; a header alone counts`,
      may_be_mapped: tables.ignored.length > 0,
    })
  );
  return {
    ...tables,
    refusals: [
      ...folders.map(({ problem }) => refused(problem)),
      ...refusals,
      ...tables.refusals,
    ],
  };
}

function unmatchedSources(table: TableName, mapping: Mapping | null): string {
  const globs = (mapping?.sources ?? [])
    .filter((source) => source.table === table)
    .map(({ key, files }) => `${key} is ${JSON.stringify(files)}`);
  return globs.length === 0 ? "" : `; in tally.toml ${globs.join(", ")}`;
}

/** Names what is not read though its name is nearly that of `table`. */
function nearMisses(
  table: TableName,
  ignored: readonly IgnoredFile[],
): string {
  const near = ignored.filter(({ file }) => isNearly(table, file));
  if (near.length === 0) return "";
  const listed = near.slice(0, NEAR_LISTED).map(({ file, reason }) =>
    `${JSON.stringify(file)} is not read: ${reason}`
  );
  return `; ${listed.join("; ")}`;
}

function isNearly(table: TableName, file: string): boolean {
  const name = file.slice(
    file.lastIndexOf(SHEET) < 0
      ? file.lastIndexOf("/") + 1
      : file.lastIndexOf(SHEET) + SHEET.length,
  );
  // Without what follows the first dot, and without digits and signs.
  const stem = foldHeader(name).replace(/(?<=.)\..*/, "")
    .replace(/[^\p{L}]/gu, "");
  return TABLES[table].stems.some((wanted) => unlikeness(stem, wanted) < 1);
}

/** Opens the archives and workbooks among the files. */
export async function findTables(
  { files, ignored, mapping: found_mapping }: Pick<
    Found,
    "files" | "ignored" | "mapping"
  >,
  options: FindTablesOptions,
): Promise<
  FoundTables & {
    /** The tables that may be in archives and workbooks that cannot be used. */
    readonly may_have: ReadonlySet<TableName>;
  }
> {
  const sources: SourceFile[] = [];
  const also_ignored: IgnoredFile[] = [];
  const refusals: StoreError[] = [];
  const may_have = new Set<TableName>();
  const mapping = found_mapping?.mapping ?? null;
  async function attempt<T>(file: FoundFile, action: () => Promise<T>) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== "refused") {
        throw error;
      }
      refusals.push(error);
      for (const table of tablesMeant(file)) may_have.add(table);
    }
  }
  const opened_files: TableFile[] = [];
  for (const delivered of files) {
    const opened = await attempt(
      delivered,
      () => unpacked(delivered, { ...options, mapping }),
    );
    also_ignored.push(...opened?.ignored ?? []);
    opened_files.push(...opened?.files ?? []);
  }
  for (const file of opened_files.sort(byPlace)) {
    const found = await attempt(
      file,
      () => tablesOf(file, { ...options, mapping }),
    );
    sources.push(...found?.files ?? []);
    also_ignored.push(...found?.ignored ?? []);
  }
  return {
    files: sources,
    ignored: [...ignored, ...also_ignored],
    refusals,
    may_have,
    mapping,
  };
}

/** Orders files as the data folder lists them, as if those in a ZIP lay there too. Of two at one place, the one found first stays first. */
function byPlace(a: TableFile, b: TableFile): number {
  const names = (a.stands_at ?? a.file).split("/");
  const others = (b.stands_at ?? b.file).split("/");
  for (const [i, name] of names.entries()) {
    if (i === others.length) return 1;
    const order = byCodePoint(name, others[i]);
    if (order !== 0) return order;
  }
  return names.length - others.length;
}

/** The files in a ZIP, and any other file itself. */
async function unpacked(
  file: FoundFile,
  options: Parameters<typeof unpackZip>[1],
): Promise<Unpacked> {
  if (file.format !== "zip") return { files: [file], ignored: [] };
  try {
    return await unpackZip(file, options);
  } catch (error) {
    throw unreadable(file.file, error) ?? error;
  }
}

/** The tables that a file or folder may have, whatever is in it. */
function tablesMeant({ table, sources }: Folder): readonly TableName[] {
  if (sources.length > 0) return sources.map((source) => source.table);
  return table ? [table] : TABLE_NAMES;
}

/**
 * The tables in one file. In a workbook they are the sheets named after a table; if
 * there is none and the workbook is named after one, its only sheet with a value. A
 * workbook among the parts of an export holds that table only. A file of sources of
 * tally.toml has the table of each.
 */
async function tablesOf(
  file: TableFile,
  { mapping, ...options }: BookLimits & { readonly mapping: Mapping | null },
): Promise<Pick<FoundTables, "files" | "ignored">> {
  const { table, sources, stands_at: _, ...rest } = file;
  if (sources.length > 0) return await mappedTables(file, options);
  const matches = mapping?.matches ?? [];
  const layoutOf = (table: TableName) =>
    withMatches(TABLES[table], { table, matches });
  if (file.format !== "xlsx") {
    return {
      files: [{ ...rest, table: table!, layout: layoutOf(table!) }],
      ignored: [],
    };
  }
  using workbook = await open(file, options);
  const ignored: IgnoredFile[] = [];
  const named: { sheet: Sheet; table: TableName }[] = [];
  const others: Sheet[] = [];
  const ignore = ({ name }: Sheet, reason: string) =>
    ignored.push({ file: labelOf(file, name), reason });

  for (const sheet of workbook.sheets) {
    const of_sheet = tableOf(sheet.name);
    if (sheet.hidden) ignore(sheet, "a hidden sheet");
    else if (sheet.part === null) ignore(sheet, "not a sheet of cells");
    else if (of_sheet && (!file.part || of_sheet === table)) {
      named.push({ sheet, table: of_sheet });
    } else others.push(sheet);
  }
  if (named.length === 0 && table) {
    const only = await onlySheet(workbook, others);
    named.push({ sheet: only, table });
  }
  for (const sheet of others) {
    if (!named.some((one) => one.sheet === sheet)) {
      ignore(sheet, "not the name of a table");
    }
  }
  return {
    files: named.map(({ sheet, table }): SourceFile => ({
      ...rest,
      layout: layoutOf(table),
      file: labelOf(file, sheet.name),
      sheet: sheet.name,
      table,
      part: file.part || named.filter((one) => one.table === table).length > 1,
    })),
    ignored,
  };
}

async function mappedTables(
  file: TableFile,
  options: BookLimits,
): Promise<Pick<FoundTables, "files" | "ignored">> {
  const { sources, table: _table, stands_at: _, ...rest } = file;
  const sourceFile = (source: Source, sheet?: Sheet): SourceFile => ({
    ...rest,
    table: source.table,
    source,
    name: file.file.slice(file.file.lastIndexOf("/") + 1),
    layout: source.layout,
    ...sheet && { file: labelOf(file, sheet.name), sheet: sheet.name },
  });
  if (file.format !== "xlsx") {
    const of_sheet = sources.find(({ sheet }) => sheet !== undefined);
    if (of_sheet) throw refused(noWorkbook(file, of_sheet));
    requireOneSource(file.file, sources);
    return { files: sources.map((one) => sourceFile(one)), ignored: [] };
  }
  using workbook = await open(file, options);
  const visible = workbook.sheets.filter(({ hidden, part }) =>
    !hidden && part !== null
  );
  const found: { source: Source; sheet: Sheet }[] = [];
  for (const source of sources) {
    const sheet = source.sheet === undefined
      ? await onlySheet(workbook, visible, { source })
      : sheetOf(visible, { file, source });
    found.push({ source, sheet });
  }
  for (const { sheet } of found) {
    const sharing = found.filter((one) => one.sheet === sheet);
    requireOneSource(
      labelOf(file, sheet.name),
      sharing.map(({ source }) => source),
    );
  }
  return {
    files: found.map(({ source, sheet }) => sourceFile(source, sheet)),
    ignored: workbook.sheets
      .filter((sheet) => !found.some((one) => one.sheet === sheet))
      .map(({ name }) => ({
        file: labelOf(file, name),
        reason: "no source of tally.toml names the sheet",
      })),
  };
}

/** Throws a refusal when two sources of one table take the same rows. */
function requireOneSource(file: string, sources: readonly Source[]): void {
  for (const [i, { key, table }] of sources.entries()) {
    const other = sources.slice(i + 1).find((one) => one.table === table);
    if (!other) continue;
    throw refused({
      file,
      problem: `both ${key} and ${other.key} of tally.toml match it`,
      remedy: "Let only one of them name the file",
    });
  }
}

function noWorkbook({ file }: FoundFile, { key }: Source): LoadProblem {
  return {
    file,
    problem: `${key} of tally.toml names a sheet, and this is no workbook`,
    remedy: "Leave sheet out, or name workbooks only",
  };
}

/** The sheet that a source names: spelt so, else spelt so but for case. */
function sheetOf(
  sheets: readonly Sheet[],
  { file, source: { key, sheet: wanted = "" } }: {
    readonly file: FoundFile;
    readonly source: Source;
  },
): Sheet {
  const found = sheets.find(({ name }) => name === wanted) ??
    sheets.find(({ name }) => foldHeader(name) === foldHeader(wanted));
  if (found) return found;
  throw refused({
    file: file.file,
    problem: `no sheet ${
      JSON.stringify(wanted)
    }, which ${key} of tally.toml names, among ${namesOf(sheets) || "none"}`,
    remedy: "Name the sheet as the workbook does",
  });
}

async function open(
  { path, file }: FoundFile,
  { xlsx_max_bytes: max_bytes, signal }: BookLimits,
): Promise<Workbook> {
  try {
    return await Workbook.open(path, { file, max_bytes, signal });
  } catch (error) {
    throw unreadable(file, error) ?? error;
  }
}

async function onlySheet(
  workbook: Workbook,
  sheets: readonly Sheet[],
  { source }: { readonly source?: Source } = {},
): Promise<Sheet> {
  if (sheets.length === 1) return sheets[0];
  const filled: Sheet[] = [];
  for (const sheet of sheets) {
    if (!await isEmptySheet(workbook, sheet.part!)) filled.push(sheet);
  }
  if (filled.length === 1) return filled[0];
  throw refused(problemOf(workbook.file, filled, { source }));
}

function problemOf(
  file: string,
  filled: readonly Sheet[],
  { source }: { readonly source?: Source },
): LoadProblem {
  if (filled.length === 0) {
    return {
      file,
      problem: "no visible sheet has a value",
      remedy: "Name the columns in the first row; a header alone counts",
    };
  }
  const names = namesOf(filled);
  if (source) {
    return {
      file,
      problem:
        `several sheets, and ${source.key} of tally.toml names none of them: ${names}`,
      remedy: `Write sheet = ${
        JSON.stringify(shown(filled[0].name))
      }, or another of them, into ${source.key} of tally.toml`,
    };
  }
  return {
    file,
    problem: `several sheets and none named after a table: ${names}`,
    remedy:
      "Name the sheets after their tables, as docs/file-contract.md says, or leave only one",
  };
}

function labelOf({ file }: FoundFile, sheet: string): string {
  return `${file}${SHEET}${shown(sheet)}`;
}

/** Whether reports call the file `delivered`, a sheet of it or a file in it, `label`. */
export function isOfFile(label: string, delivered: string): boolean {
  return label === delivered ||
    [SHEET, "/"].some((sign) => label.startsWith(`${delivered}${sign}`));
}

function namesOf(sheets: readonly Sheet[]): string {
  return listed(sheets.map(({ name }) => shown(name)), SHEETS_LISTED);
}

// Spreadsheet programs allow 31 characters; others could write anything.
function shown(name: string): string {
  return name.slice(0, 60).replace(/\p{C}/gu, "\ufffd");
}
