/** Turns a sheet of a workbook into delimited text, so that the same rules apply as to other exports. */

import { type ColumnRule, secondOf, type Source } from "../mapping/mapping.ts";
import { changed, type LoadProblem, refused } from "../model/problems.ts";
import {
  type HeaderMatch,
  matchHeader,
  requireColumns,
  type Table,
} from "../model/contract.ts";
import type { Header } from "./csv_scanner.ts";
import { RowNumbers } from "./row_numbers.ts";
import {
  type CellReader,
  MAX_RAW_LENGTH,
  readCells,
  serialText,
  TextCollector,
  tooLong,
} from "./sheet_cells.ts";
import { type BookOptions, type PartReader, Workbook } from "./workbook.ts";
import { writeAll } from "./write_all.ts";

/** The text that was made of a sheet. */
export interface StagedSheet {
  /**
   * The header of the text: the columns of the contract that the sheet has, and one
   * more with the error of a cell, as column, reason and value separated by tabs, or
   * behind two tabs a label that stands in an unused column; it is empty in nearly
   * all rows.
   */
  readonly header: Header;
  /** Whether a cell has a line break in it. */
  readonly line_breaks: boolean;
  /** The rows of the text's records. */
  readonly row_numbers: RowNumbers;
  /** Cells in columns of times that are dates to the spreadsheet, not text. */
  readonly native_dates: number;
}

/** The sheet to stage, and its table. */
export interface SheetToStage {
  /** Its name in refusals: the workbook and the sheet. */
  readonly file: string;
  readonly sheet?: string;
  /** The columns that it must have. */
  readonly layout: Table;
  /** The source of tally.toml to which it belongs. */
  readonly source?: Source;
  /** What to do where it has other columns. */
  readonly remedy?: string;
}

/**
 * The character before a date of the spreadsheet in a file of tally.toml, whose texts
 * may have any form. No cell has it.
 */
export const NATIVE_DATE = "\u0001";

const MAX_ROWS = 1_048_576;
const MAX_COLUMNS = 16_384;
const TIME_COLUMNS = ["date", "date_start"];
const VALUE_LENGTH = 200;
/** The number of lines below the first that are searched for the header. */
export const TITLE_LINES = 20;
/** The largest number of characters in the cells of a row; shared texts count each time. */
const MAX_ROW_LENGTH = 600_000;
/** The number of characters that are collected before a write. */
const WRITE_LENGTH = 1 << 18;

/** An open workbook with the shared strings and formats of its cells. */
export interface OpenBook {
  readonly workbook: Workbook;
  readonly cells: CellReader;
}

/**
 * Opens the workbook at `path` and reads its shared strings and formats. Throws a
 * refusal, naming `file`, when it is not sound or unpacks to more than `max_bytes`.
 */
export async function openBook(
  path: string,
  options: BookOptions,
): Promise<OpenBook> {
  const workbook = await Workbook.open(path, options);
  try {
    return { workbook, cells: await readCells(workbook) };
  } catch (error) {
    workbook[Symbol.dispose]();
    throw error;
  }
}

/**
 * Writes the rows of a sheet to `to`, as UTF-8. Throws a refusal when it is not
 * sound, has no fitting header, or is too large, unpacked or written.
 */
export async function stageSheet(
  { file, sheet, ...options }: SheetToStage,
  book: OpenBook,
  { to }: { readonly to: string },
): Promise<StagedSheet> {
  const { workbook } = book;
  workbook.file = file;
  const part = workbook.sheets.find(({ name }) => name === sheet)?.part;
  if (!part) throw changed({ file });
  using output = await Deno.open(to, {
    write: true,
    create: true,
    truncate: true,
  });
  const writer = new TextWriter(output, workbook);
  const rows = new SheetRows(book, writer, options);
  const reader = new SheetReader(workbook, rows);
  await workbook.read(part, reader);
  const header = rows.finish(reader.merged);
  await writer.flush();
  return {
    header,
    line_breaks: writer.line_breaks,
    row_numbers: rows.numbers,
    native_dates: rows.native_dates,
  };
}

/** The problem of a file with a title in `line`, whose header is in a later one. */
export function titleAbove(
  { file, source }: { readonly file: string; readonly source?: Source },
  { line, later }: { readonly line: number; readonly later: number },
): LoadProblem {
  return {
    file,
    line,
    problem: `a title above the header, which is in line ${later}`,
    remedy: source
      ? `Write header_row = ${later} into ${source.key} of tally.toml`
      : "Delete what is above the header",
    may_be_mapped: true,
  };
}

/** Why a file is refused whose rows end above the header that tally.toml names. */
export function noSuchRow(
  file: string,
  { header_row, key }: { readonly header_row: number; readonly key: string },
): LoadProblem {
  return {
    file,
    problem:
      `ends above line ${header_row}, which header_row of ${key} in tally.toml names`,
    remedy: "Write the line of the header there, or leave header_row out",
  };
}

/** Whether a sheet has no cell with a value. */
export async function isEmptySheet(
  workbook: Workbook,
  part: string,
): Promise<boolean> {
  let empty = true;
  await workbook.read(part, {
    open(name) {
      if (name === "v" || name === "is") empty = false;
    },
    done: () => !empty,
  });
  return empty;
}

/** A cell with a value, or with a formula that has no value. */
export interface Cell {
  /** From 0. */
  readonly column: number;
  readonly type: string;
  readonly style: number;
  readonly value: string;
  /** Whether it is a formula that was never computed. */
  readonly formula: boolean;
}

/** Takes the rows of a sheet that have a value. */
export interface RowTaker {
  /** The row of the header, and the number of its columns; 0 until the header is found. */
  readonly header_row: number;
  readonly columns: number;
  /** Throws refusals. */
  add(row: number, cells: readonly Cell[]): void;
  /** Awaited after each piece of the sheet, when it returns a promise. */
  settle(): Promise<void> | undefined;
}

/** Puts the cells of a sheet's XML together. */
export class SheetReader implements PartReader {
  /** Ranges of merged cells that lie in the row of the header. */
  readonly merged: string[] = [];
  #row = 0;
  #column = -1;
  #cells: Cell[] = [];
  #type = "n";
  #style = 0;
  #value = "";
  #in_value = false;
  #in_cell = false;
  #inline = false;
  #formula = false;
  #length = 0;
  readonly #collector: TextCollector;

  constructor(readonly workbook: Workbook, readonly rows: RowTaker) {
    this.#collector = new TextCollector(workbook);
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    switch (name) {
      case "row":
        this.#startRow(attributes.r);
        break;
      case "c":
        this.#startCell(attributes);
        break;
      case "v":
        this.#in_value = this.#in_cell;
        break;
      case "is":
        this.#inline = this.#in_cell;
        break;
      case "f":
        this.#formula = this.#in_cell;
        break;
      case "mergeCell":
        if (isMerged(attributes.ref ?? "", this.rows)) {
          this.merged[0] ??= attributes.ref;
        }
        break;
      default:
        if (this.#inline) this.#collector.open(name);
    }
  }

  text(text: string): void {
    if (this.#inline) this.#collector.text(text);
    else if (this.#in_value) {
      this.#value += text;
      if (this.#value.length > MAX_RAW_LENGTH) {
        throw tooLong(this.workbook, this.#row);
      }
    }
  }

  close(name: string): void {
    switch (name) {
      case "row":
        if (this.#cells.length > 0) this.rows.add(this.#row, this.#cells);
        this.#cells = [];
        break;
      case "c":
        this.#endCell();
        break;
      case "v":
        this.#in_value = false;
        break;
      case "is":
        this.#value = this.#collector.take();
        this.#inline = false;
        break;
      default:
        if (this.#inline) this.#collector.close(name);
    }
  }

  settle(): Promise<void> | undefined {
    return this.rows.settle();
  }

  #startRow(number: string | undefined): void {
    const row = number === undefined ? this.#row + 1 : Number(number);
    if (!(Number.isInteger(row) && row >= 1 && row <= MAX_ROWS)) {
      throw this.workbook.unsound(`a row ${String(number).slice(0, 20)}`);
    }
    if (row <= this.#row) {
      throw this.workbook.unsound(`row ${row} comes after row ${this.#row}`);
    }
    this.#row = row;
    this.#column = -1;
    this.#length = 0;
  }

  #startCell({ r, t = "n", s = "0" }: Readonly<Record<string, string>>): void {
    const column = r === undefined
      ? this.#column + 1
      : columnOf(r, this.#row) ?? MAX_COLUMNS;
    if (column >= MAX_COLUMNS || column <= this.#column) {
      throw this.workbook.unsound(
        `a cell ${
          r === undefined ? `in column ${column + 1}` : r.slice(0, 20)
        } that cannot be there`,
        this.#row,
      );
    }
    this.#column = column;
    this.#type = t;
    this.#style = Number(s);
    this.#value = "";
    this.#formula = false;
    this.#in_cell = true;
  }

  #endCell(): void {
    this.#in_cell = false;
    this.#length += this.#value.length;
    if (this.#length > MAX_ROW_LENGTH) {
      throw longRow(this.workbook, this.#row);
    }
    // A formula whose result is an empty text has the type of texts.
    const formula = this.#formula && this.#value === "" && this.#type !== "str";
    if (this.#value.trim() === "" && !formula) return;
    this.#cells.push({
      column: this.#column,
      type: this.#type,
      style: this.#style,
      value: this.#value,
      formula,
    });
  }
}

function longRow(workbook: Workbook, row: number) {
  return workbook.unsound(
    `a row of more than ${MAX_ROW_LENGTH} characters`,
    row,
  );
}

/** Finds the header, and writes the rows below it. */
class SheetRows implements RowTaker {
  readonly numbers = new RowNumbers();
  native_dates = 0;
  /** The row of the header, and the number of its columns; 0 until the header is found. */
  header_row = 0;
  columns = 0;
  #names: string[] = [];
  #match: HeaderMatch | undefined;
  /** A later row that could be the header, if the first row is none. */
  #later_header = 0;
  #searched = 0;
  /** By column of the sheet: its place in the text. */
  #places: (number | undefined)[] = [];
  #used: string[] = [];
  #in_time_column: boolean[] = [];
  #takes_serials: boolean[] = [];
  #values: string[] = [];
  /** The present row, and the characters of its cells so far. */
  #row = 0;
  #length = 0;

  readonly #options: Omit<SheetToStage, "file" | "sheet">;

  constructor(
    readonly book: OpenBook,
    readonly writer: TextWriter,
    options: Omit<SheetToStage, "file" | "sheet">,
  ) {
    this.#options = options;
  }

  /** Takes a row that has a value. Throws refusals. */
  add(row: number, cells: readonly Cell[]): void {
    this.#row = row;
    this.#length = 0;
    const { header_row = 0 } = this.#options.source ?? {};
    if (row < header_row) return;
    if (!this.#match) {
      const { file } = this.book.workbook;
      if (header_row > 0 && row > header_row) {
        throw refused({
          file,
          line: header_row,
          problem: "no header in this row, which tally.toml names",
          remedy: `Mend ${this.#options.source!.key} in tally.toml`,
        });
      }
      this.#startWith(row, cells);
    } else if (this.#match.missing.length > 0) this.#searchHeader(row, cells);
    else this.#write(row, cells);
  }

  settle(): Promise<void> | undefined {
    return this.writer.settle();
  }

  /** The header of the text, after all rows. Throws a refusal when no row fits. */
  finish([merged]: readonly string[]): Header {
    const { file } = this.book.workbook;
    const { source, layout, remedy } = this.#options;
    if (!this.#match) {
      const { header_row, key } = source ?? {};
      if (header_row !== undefined) {
        throw refused(noSuchRow(file, { header_row, key: key! }));
      }
      throw refused({
        file,
        problem: "the sheet is empty",
        remedy: "Name the columns in its first row; a header alone counts",
      });
    }
    if (this.#later_header > 0) {
      throw refused(titleAbove({ file, source }, {
        line: this.header_row,
        later: this.#later_header,
      }));
    }
    if (merged !== undefined) {
      throw refused({
        file,
        line: this.header_row,
        problem: `merged cells in the header, ${merged.slice(0, 40)}`,
        remedy: "Unmerge them and name each column in one cell of one row",
      });
    }
    requireColumns(this.#names, this.#match, {
      file,
      line: this.header_row,
      remedy,
    });
    // Several columns of the layout may be one column of the sheet.
    const positions = layout.columns.flatMap(({ name }) => {
      const position = this.#match!.positions[name];
      return position === undefined ? [] : [[name, this.#places[position]]];
    });
    return {
      delimiter: ",",
      names: [...this.#used, PROBLEM],
      match: { ...this.#match, positions: Object.fromEntries(positions) },
    };
  }

  #startWith(row: number, cells: readonly Cell[]): void {
    this.#names = this.#namesOf(cells);
    const { layout, source } = this.#options;
    this.#match = matchHeader(layout, this.#names);
    this.#match = {
      ...this.#match,
      unknown: this.#match.unknown.filter((name) => name !== ""),
    };
    this.header_row = row;
    this.columns = this.#names.length;
    for (const { name } of layout.columns) {
      const position: number | undefined = this.#match.positions[name];
      if (position === undefined) continue;
      const place = this.#places[position] ??= this.#used.length;
      this.#in_time_column[place] ||= isTimeColumn(name);
      this.#takes_serials[place] ||= takesSerials(name, source?.rules[name]);
      this.#used[place] ??= name;
    }
    this.numbers.add(row);
    this.writer.write([...this.#used, PROBLEM]);
  }

  #searchHeader(row: number, cells: readonly Cell[]): void {
    if (this.#later_header > 0 || this.#searched++ >= TITLE_LINES) return;
    const { missing } = matchHeader(
      this.#options.layout,
      this.#namesOf(cells),
    );
    if (missing.length === 0) this.#later_header = row;
  }

  #namesOf(cells: readonly Cell[]): string[] {
    const names = Array<string>(cells.at(-1)!.column + 1).fill("");
    for (const cell of cells) {
      names[cell.column] = this.#textOf(cell, false).trim();
    }
    return names;
  }

  // A row is read without a pause, and the texts that its cells share may be many
  // times longer than the row in the sheet.
  #textOf(cell: Cell, in_time_column: boolean): string {
    const text = this.book.cells.textOf(cell, in_time_column);
    this.#length += text.length;
    if (this.#length > MAX_ROW_LENGTH) {
      throw longRow(this.book.workbook, this.#row);
    }
    return text;
  }

  #write(row: number, cells: readonly Cell[]): void {
    const values = this.#values;
    const count = this.#used.length;
    values.length = count + 1;
    values.fill("");
    let has_value = false;
    let extra: string | undefined;
    for (const cell of cells) {
      const place = this.#places[cell.column];
      if (place === undefined) {
        const text = this.#textOf(cell, false);
        if (text.trim() === "") continue;
        has_value = true;
        if (SUMMARY.test(text)) {
          values[count] ||= `\t\t${text.slice(0, VALUE_LENGTH)}`;
        }
        if (cell.column >= this.columns) extra ??= text;
        continue;
      }
      const in_time_column = this.#in_time_column[place];
      const takes_serials = this.#takes_serials[place];
      const written = this.#textOf(cell, takes_serials);
      const from_1904 = takes_serials && this.book.workbook.date_1904
        ? from1904(written, this.#used[place])
        : undefined;
      let text = from_1904 ?? written;
      const reason = cell.type === "e" || isError(text)
        ? "a formula whose result is an error"
        : cell.formula
        ? "a formula that was never computed"
        : undefined;
      if (reason) {
        has_value = true;
        if (values[count] === "" || values[count].startsWith("\t")) {
          values[count] = [this.#used[place], reason, text].join("\t");
        }
        continue;
      }
      const is_native = from_1904 !== undefined || "nd".includes(cell.type);
      if (in_time_column && is_native && ISO.test(text)) {
        if (cell.type === "n") this.native_dates++;
        if (this.#options.source && isDay(text)) text = NATIVE_DATE + text;
      }
      values[place] = text;
      if (!has_value) has_value = text.trim() !== "";
    }
    if (!has_value) return;
    if (extra !== undefined) values.push(extra.slice(0, VALUE_LENGTH));
    this.numbers.add(row);
    this.writer.write(values);
  }
}

function isTimeColumn(name: string): boolean {
  return TIME_COLUMNS.includes(name) ||
    TIME_COLUMNS.some((one) => secondOf(one) === name);
}

/** Whether a number without a format may be a day as spreadsheets count them. */
function takesSerials(name: string, rule: ColumnRule | undefined): boolean {
  const { format = "excel", headers = [] } = rule ?? {};
  return TIME_COLUMNS.includes(name) && headers.length < 2 &&
    format === "excel";
}

// A day that a spreadsheet has and the calendar has not.
function isDay(text: string): boolean {
  return !text.startsWith("1900-02-29");
}

// The cleaning rules, which take a serial number in a text for one from 1900, and
// set it aside in a column of months where it may be a month and its year.
function from1904(text: string, column: string): string | undefined {
  if (!SERIAL.test(text) || column === "date" && MONTH_AND_YEAR.test(text)) {
    return undefined;
  }
  return serialText(Number(text), true);
}

const SERIAL = /^\s*[1-6]\d{4}(\.\d{1,12})?\s*$/;
const MONTH_AND_YEAR = /^\s*[1-9](19\d\d|20[0-7]\d)(\.0+)?\s*$/;
const PROBLEM = "cell_problem";
const ISO = /^\d{4}-/;
/** A label that a row of totals may have; the rules in SQL decide. */
const SUMMARY = /^\s*(grand|sub|overall|tot|sum|som|gesamt|insgesamt)/i;
/** Errors also occur as text: some programs save them so, and so does pasting values. As is_error in rules.sql has it. */
const ERROR =
  /^#([¡¿]?[A-Z\d/_\u00c0-\u058f\u1e00-\u1fff]+[!?]|N\/[ABD]|I\/T|Н\/Д|Δ\/Υ|NV|YOK|HIÁNYZIK|NEDOSTUPNÝ|NENÍ_K_DISPOZICI|GETTING_DATA)$/;

function isError(text: string): boolean {
  return ERROR.test(text) && text === text.toUpperCase() &&
    text !== text.toLowerCase();
}

/** Collects lines and writes them to a file. */
class TextWriter {
  line_breaks = false;
  #text = "";
  #written = 0;
  readonly #encoder = new TextEncoder();

  constructor(readonly file: Deno.FsFile, readonly workbook: Workbook) {}

  write(values: readonly string[]): void {
    let line = "";
    for (const [i, value] of values.entries()) {
      if (i > 0) line += ",";
      if (PLAIN.test(value)) line += value;
      else {
        // With replaceAll, thousands of quotes make a text that is slow to encode.
        line += `"${value.split('"').join('""')}"`;
        this.line_breaks ||= /[\r\n]/.test(value);
      }
    }
    this.#text += `${line}\n`;
  }

  /** Writes the collected lines, if they are long enough. */
  settle(): Promise<void> | undefined {
    return this.#text.length > WRITE_LENGTH ? this.flush() : undefined;
  }

  async flush(): Promise<void> {
    const bytes = this.#encoder.encode(this.#text);
    this.#text = "";
    this.#written += bytes.length;
    // A text that many cells share is written once per cell.
    if (this.#written > this.workbook.max_bytes) throw this.workbook.tooLarge();
    await writeAll(this.file, bytes);
  }
}

/** Needs no quotes; a line of empty cells is not empty, since each has two at least. */
const PLAIN = /^([\w.:/-][\w .:/-]*)?$/;

/** The column, from 0, of a cell's reference such as `AB12`; undefined when it is not of that row. */
function columnOf(reference: string, row: number): number | undefined {
  const found = /^([A-Z]{1,3})([1-9]\d{0,6})$/.exec(reference);
  if (!found || Number(found[2]) !== row) return undefined;
  let column = 0;
  for (const letter of found[1]) {
    column = column * 26 + letter.charCodeAt(0) - 64;
  }
  return column - 1;
}

/** Whether a range of cells is in the header and more than one. */
function isMerged(range: string, { header_row, columns }: RowTaker): boolean {
  const [, from, first, to, last] =
    /^([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})$/.exec(range) ?? [];
  if (from === undefined) return false;
  return Number(first) <= header_row && header_row <= Number(last) &&
    (columnOf(`${from}1`, 1) ?? 0) < columns && (from !== to || first !== last);
}
