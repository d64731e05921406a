/** Turns the cells of a spreadsheet into text, in the forms that the cleaning rules read. */

import { refused } from "../model/problems.ts";
import { isTrue, type Workbook } from "./workbook.ts";

/** A cell as it is in the sheet. */
export interface RawCell {
  /** The attribute `t`: the type of the value. */
  readonly type: string;
  /** The attribute `s`: the number of its format. */
  readonly style: number;
  readonly value: string;
}

/** Reads the cells of one workbook. */
export interface CellReader {
  /**
   * A cell's text: a number whose format is one of dates is `YYYY-MM-DD HH:MM:SS`;
   * in a column of times, so is any number from 10000 to 69999.
   */
  textOf(cell: RawCell, in_time_column: boolean): string;
}

/** Characters of one cell, as spreadsheet programs have it. */
const MAX_CELL_LENGTH = 32_767;
/** Characters of one cell in the file, where one may be written as `_x000D_`. */
export const MAX_RAW_LENGTH = 7 * MAX_CELL_LENGTH;
const MAX_STYLES = 100_000;
const MAX_SHARED_STRINGS = 1 << 24;
const MAX_SHARED_BYTES = 1 << 27;
const SHARED_STRINGS_CACHED = 4_096;
/** Serials that a column of times takes without a format: 1927 to 2091. */
const BARE_SERIALS = { first: 10_000, end: 70_000 };
/** 9999-12-31, the last day that a spreadsheet knows. */
const LAST_SERIAL = 2_958_465;
const DAY_MS = 86_400_000;
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/** Reads the shared strings and the formats of a workbook. Throws refusals. */
export async function readCells(workbook: Workbook): Promise<CellReader> {
  const date_styles = await readDateStyles(workbook);
  const shared = await readSharedStrings(workbook);
  return {
    textOf({ type, style, value }, in_time_column) {
      switch (type) {
        case "s":
          return shared.textAt(value);
        case "b":
          return String(isTrue(value.trim()));
        case "d":
          // Spreadsheet programs show the time as it is written, in UTC or not.
          return cellText(value, workbook).trim().replace(/z$/i, "");
        case "n":
          break;
        default:
          return cellText(value, workbook);
      }
      const number = NUMBER.test(value) ? Number(value) : NaN;
      const is_date = date_styles[style] || in_time_column &&
          number >= BARE_SERIALS.first && number < BARE_SERIALS.end;
      return (is_date && serialText(number, workbook.date_1904)) ||
        numberText(number, value);
    },
  };
}

/** Whole numbers in digits, as ids want them; others with the 15 digits that spreadsheet programs show. */
function numberText(number: number, value: string): string {
  if (Number.isSafeInteger(number)) return String(number);
  // The file has 17 digits: 4.1 may stand there as 4.0999999999999996. Very large and
  // very small ones stay as they stand.
  const size = Math.abs(number);
  return size >= 1e-6 && size < 1e15
    ? String(Number(number.toPrecision(15)))
    : value.trim();
}

/** The time of a serial number of days, or undefined when it is none. */
export function serialText(
  serial: number,
  date_1904: boolean,
): string | undefined {
  if (!(serial >= 0 && serial < LAST_SERIAL + 1)) return undefined;
  // A serial has 15 digits: it is exact to milliseconds.
  const ms_in_all = Math.round(serial * DAY_MS);
  const day = Math.floor(ms_in_all / DAY_MS);
  const time = timeText(ms_in_all - day * DAY_MS);
  if (date_1904) return `${dateText(day + DAYS_TO_1904)} ${time}`;
  // The system of 1900 has a day that did not exist, 1900-02-29.
  if (day === 60) return `1900-02-29 ${time}`;
  return `${dateText(day < 60 ? day : day - 1)} ${time}`;
}

/** From 1899-12-31 to 1904-01-01. */
const DAYS_TO_1904 = 1_461;
/** From 0000-03-01, where the leap day ends the year, to 1899-12-31. */
const DAYS_TO_1899 = 693_900;

/** The date that is this number of days after 1899-12-31. */
function dateText(day: number): string {
  const days = day + DAYS_TO_1899;
  const era = Math.floor(days / 146_097);
  const of_era = days - era * 146_097;
  const year_of_era = Math.floor(
    (of_era - Math.floor(of_era / 1_460) + Math.floor(of_era / 36_524) -
      Math.floor(of_era / 146_096)) / 365,
  );
  const of_year = of_era -
    (365 * year_of_era + Math.floor(year_of_era / 4) -
      Math.floor(year_of_era / 100));
  const from_march = Math.floor((5 * of_year + 2) / 153);
  const date = of_year - Math.floor((153 * from_march + 2) / 5) + 1;
  const month = from_march < 10 ? from_march + 3 : from_march - 9;
  const year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return `${pad(year, 4)}-${pad(month)}-${pad(date)}`;
}

function timeText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const text = [seconds / 3600, seconds / 60 % 60, seconds % 60]
    .map((part) => pad(Math.floor(part))).join(":");
  return ms % 1000 === 0 ? text : `${text}.${pad(ms % 1000, 3)}`;
}

function pad(number: number, digits = 2): string {
  return String(number).padStart(digits, "0");
}

/** Whether a number of this format is a date: it shows years, months, days, hours, minutes or seconds. */
export function isDateFormat(format: string): boolean {
  const shown = format.replace(/"[^"]*"?|\\.|[_*]./gs, "")
    .replace(/\[(h+|m+|s+)\]/gi, "$1").replace(/\[[^\]]*\]?/g, "");
  return /[ymdhs]/i.test(shown.replace(/general/gi, ""));
}

/** The formats that have numbers only: dates and times, those of East Asia included. */
function isBuiltInDate(id: number): boolean {
  return id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 ||
    id >= 50 && id <= 58;
}

async function readDateStyles(workbook: Workbook): Promise<boolean[]> {
  const styles: boolean[] = [];
  const formats = new Map<string, boolean>();
  if (workbook.styles === undefined) return styles;
  let in_cell_formats = false;
  await workbook.read(workbook.styles, {
    open(name, { numFmtId = "0", formatCode = "" }) {
      if (name === "cellXfs") in_cell_formats = true;
      if (name === "numFmt") formats.set(numFmtId, isDateFormat(formatCode));
      if (name === "xf" && in_cell_formats) {
        styles.push(formats.get(numFmtId) ?? isBuiltInDate(Number(numFmtId)));
      }
      if (styles.length > MAX_STYLES || formats.size > MAX_STYLES) {
        throw workbook.unsound(`more than ${MAX_STYLES} formats`);
      }
    },
    close(name) {
      if (name === "cellXfs") in_cell_formats = false;
    },
  });
  return styles;
}

interface SharedStrings {
  textAt(index: string): string;
}

// Packed in one buffer: a million strings take their bytes and 4 more each,
// and keep no piece of the XML alive.
async function readSharedStrings(workbook: Workbook): Promise<SharedStrings> {
  let bytes = new Uint8Array(1 << 16);
  let ends = new Uint32Array(1 << 10);
  let count = 0;
  let text = "";
  const part = workbook.shared_strings;
  if (part !== undefined) {
    const encoder = new TextEncoder();
    const collector = new TextCollector(workbook);
    await workbook.read(part, {
      open: (name) => collector.open(name),
      text: (piece) => collector.text(piece),
      close(name) {
        collector.close(name);
        if (name !== "si") return;
        text = cellText(collector.take(), workbook);
        const start = count === 0 ? 0 : ends[count - 1];
        const needed = start + 3 * text.length;
        if (needed > MAX_SHARED_BYTES || count >= MAX_SHARED_STRINGS) {
          throw tooManyStrings(workbook);
        }
        if (needed > bytes.length) bytes = grown(bytes, needed);
        if (count === ends.length) ends = grownEnds(ends);
        ends[count++] = start +
          encoder.encodeInto(text, bytes.subarray(start)).written;
      },
    });
  }
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const cache: string[] = [];
  return {
    textAt(index) {
      const i = Number(index);
      if (!(Number.isInteger(i) && i >= 0 && i < count)) {
        throw workbook.unsound(`no shared string ${index.slice(0, 20)}`);
      }
      const found = cache[i];
      if (found !== undefined) return found;
      const start = i === 0 ? 0 : ends[i - 1];
      const decoded = decoder.decode(bytes.subarray(start, ends[i]));
      if (i < SHARED_STRINGS_CACHED) cache[i] = decoded;
      return decoded;
    },
  };
}

function tooManyStrings({ file }: Workbook) {
  return refused({
    file,
    problem: `more than ${MAX_SHARED_BYTES} bytes of different texts`,
    remedy: "Save its sheets as CSV",
  });
}

function grown(bytes: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(2 * bytes.length, needed));
  larger.set(bytes);
  return larger;
}

function grownEnds(ends: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * ends.length);
  larger.set(ends);
  return larger;
}

/** Puts the text of a rich string together, leaving out how it is pronounced. */
export class TextCollector {
  #text = "";
  #in_text = false;
  #in_phonetic = false;

  constructor(readonly workbook: Workbook) {}

  /** An element begins. */
  open(name: string): void {
    if (name === "rPh") this.#in_phonetic = true;
    else if (name === "t") this.#in_text = !this.#in_phonetic;
  }

  /** Text comes. Throws a refusal when it is too long. */
  text(piece: string): void {
    if (!this.#in_text) return;
    this.#text += piece;
    if (this.#text.length > MAX_RAW_LENGTH) throw tooLong(this.workbook);
  }

  /** An element ends. */
  close(name: string): void {
    if (name === "rPh") this.#in_phonetic = false;
    else if (name === "t") this.#in_text = false;
  }

  /** The text since it was last taken. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

/** The text of a cell as it is meant. Throws a refusal when it is too long. */
function cellText(raw: string, workbook: Workbook): string {
  const text = unescape(raw);
  if (text.length > MAX_CELL_LENGTH) throw tooLong(workbook);
  return text;
}

/** The refusal of a text that no spreadsheet program keeps in a cell. */
export function tooLong(workbook: Workbook, row?: number) {
  return workbook.unsound(
    `a text of more than ${MAX_CELL_LENGTH} characters in a cell`,
    row,
  );
}

/** Characters that XML cannot have are written `_x000D_`. */
function unescape(text: string): string {
  return text.includes("_x")
    ? text.replace(
      /_x([0-9A-Fa-f]{4})_/g,
      (_, hex) => String.fromCharCode(parseInt(hex, 16)),
    )
    : text;
}
