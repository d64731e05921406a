/** Decides whether rows set aside, or the order of its dates, refuse a file, and says why. */

import type { LoadProblem } from "./problems.ts";
import type { DateOrder, SetAsideCount } from "./report.ts";

/** Rows of a file set aside for one reason, and the first of them. */
export interface Fault extends SetAsideCount {
  readonly line: number;
  readonly value: string | null;
}

/** A file that was read, and its rows set aside, the most frequent reason first. */
export interface CheckedFile {
  readonly file: string;
  readonly table: string;
  readonly rows_read: number;
  readonly faults: readonly Fault[];
  /** Its table of tally.toml, where it belongs to one. */
  readonly source?: string;
}

/** The settings that decide, or that a remedy names. */
export interface RowRules {
  readonly date_order: DateOrder["order"];
  readonly csv_encoding: string;
  /** Share of a file's rows that may be set aside. */
  readonly max_set_aside: number;
}

/** The number of rows of a file that may be set aside, whatever their share. */
const SET_ASIDE_ALLOWED = 5;
/** The number of kinds of rows set aside that a refusal names, and of characters of a value. */
const FAULTS_LISTED = 10;
const SAMPLE_LENGTH = 40;

/** The files of which more is set aside than is allowed, without values of their rows. */
export function tooManySetAside(
  files: readonly CheckedFile[],
  rules: RowRules,
): LoadProblem[] {
  return files.flatMap((file) =>
    tooMany(file, { ...rules, show_values: false }) ?? []
  );
}

/** Why rows set aside refuse the load, with a value of each kind. */
export function rowProblems(
  files: readonly CheckedFile[],
  rules: RowRules & {
    /** Files with one of these are refused already. */
    readonly date_order_problems: readonly LoadProblem[];
    /** Whether only a table without any row left refuses it. */
    readonly only_empty: boolean;
  },
): LoadProblem[] {
  const { date_order_problems, only_empty } = rules;
  const isEmpty = (table: string) => {
    const parts = files.filter((one) => one.table === table);
    const rows_read = parts.reduce((sum, one) => sum + one.rows_read, 0);
    return rows_read > 0 &&
      rows_read === sumOfRows(parts.flatMap(({ faults }) => faults));
  };
  const empty = ["customers", "interactions"].filter(isEmpty);
  return files.flatMap((checked) => {
    const { file, table, rows_read, faults, source } = checked;
    if (date_order_problems.some((one) => one.file === file)) return [];
    if (rows_read > 0 && empty.includes(table)) {
      return [{
        file,
        line: faults[0].line,
        problem: `all ${rows_read} rows are set aside, which leaves no ${
          table === "customers" ? "customer" : "interaction"
        }: ${faultsText(faults, true)}`,
        remedy: cureOf(faults, { ...rules, source }) ??
          (source
            ? `Mend the rows, or check ${placeOf(faults[0], source)}`
            : "Mend the rows, or check that the right columns have these names"),
        may_be_mapped: true,
      }];
    }
    if (only_empty) return [];
    return tooMany(checked, { ...rules, show_values: true }) ?? [];
  });
}

function tooMany(
  { file, rows_read, faults, source }: CheckedFile,
  { max_set_aside, show_values, ...rules }: RowRules & {
    readonly show_values: boolean;
  },
): LoadProblem | undefined {
  const wrong = faults.filter((fault) => !isCountedApart(fault));
  const rows_set_aside = sumOfRows(wrong);
  const rows = rows_read - sumOfRows(faults.filter(isCountedApart));
  if (
    rows_set_aside <= SET_ASIDE_ALLOWED ||
    rows_set_aside / rows <= max_set_aside
  ) return;
  return {
    file,
    line: Math.min(...wrong.map(({ line }) => line)),
    problem:
      `${rows_set_aside} of ${rows} rows break a rule, more than MAX_SET_ASIDE=${max_set_aside} allows: ${
        faultsText(wrong, show_values)
      }`,
    remedy: cureOf(wrong, { ...rules, source }) ??
      (source
        ? `Mend the rows, check ${
          placeOf(wrong[0], source)
        }, or raise MAX_SET_ASIDE`
        : "Mend the rows, or raise MAX_SET_ASIDE"),
    may_be_mapped: true,
  };
}

// Such as `12 rows, customers "007" in line 3: an id with leading zeros`.
function faultsText(faults: readonly Fault[], show_values: boolean): string {
  const shown = faults.slice(0, FAULTS_LISTED).map(
    ({ column, reason, rows, line, value }) => {
      const sample = show_values && value !== null
        ? ` ${JSON.stringify(value.slice(0, SAMPLE_LENGTH))} in line ${line}`
        : "";
      return `${rows} ${rows === 1 ? "row" : "rows"}, ${column}${sample}: ${
        reason.replaceAll(";", ",")
      }`;
    },
  );
  const more = faults.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more kinds` : "");
}

/** The key of tally.toml for each column of the rules. */
const KEYS: Readonly<Record<string, string>> = {
  customer_id: "id",
  date: "date",
  date_start: "time",
  interaction: "channel",
  customers: "customer",
  topic: "topic",
  count: "count",
};

/** What tally.toml must say otherwise where all rows of a kind are set aside, by how the reason begins. */
const CURES: readonly (readonly [RegExp, (place: string) => string])[] = [
  [/^not a time of the form/, (place) => `Check format of ${place}`],
  [
    /^(not a (time|month) in a known form|a year of two digits)/,
    (place) => `Write the format of these dates into ${place}`,
  ],
  [/^does not fit the pattern/, (place) => `Check pattern of ${place}`],
  [
    /^an id with (leading zeros|letters)/,
    () =>
      'If these ids are texts, write kind = "text" into id of [customers] in tally.toml, or ids = "text" beside customers = false',
  ],
];

function placeOf({ column }: SetAsideCount, source: string): string {
  const key = KEYS[column];
  return `${source}${key ? `.${key}` : ""} in tally.toml`;
}

/** The setting, or the key of tally.toml, that mends rows, where one does. */
function cureOf(
  faults: readonly Fault[],
  { date_order, csv_encoding, source }:
    & Omit<RowRules, "max_set_aside">
    & Pick<CheckedFile, "source">,
): string | undefined {
  if (faults.some(isOtherOrder)) {
    if (source) return formatRemedy(source, otherOrder(date_order));
    return `Check DATE_ORDER=${date_order}, and that one system writes all dates of the file`;
  }
  if (source) {
    for (const fault of faults) {
      const cure = CURES.find(([reason]) => reason.test(fault.reason))?.[1];
      if (cure) return `${cure(placeOf(fault, source))}, or mend the rows`;
    }
  }
  // What text has that was read in a wrong encoding.
  if (faults.some(({ value }) => value && /[\x80-\x9f\ufffd]/.test(value))) {
    return `Check CSV_ENCODING=${csv_encoding}`;
  }
}

/** Whether these rows are set aside because their dates fit only the other order. */
export function isOtherOrder({ reason }: SetAsideCount): boolean {
  return reason.startsWith("fits only the other order");
}

function isWithoutCustomer({ column, reason }: SetAsideCount): boolean {
  return column === "customers" && reason === "no customer";
}

/** What the reason begins with where no customer has a value. */
export const NO_MATCH = "no customer with this ";

function isUnmatched({ column, reason }: SetAsideCount): boolean {
  return column === "customers" && reason.startsWith(NO_MATCH);
}

/** Whether these rows may be right: they say nothing of a customer, or of one who is not known. */
function isCountedApart(fault: SetAsideCount): boolean {
  return isWithoutCustomer(fault) || isUnmatched(fault);
}

/** The number of rows set aside because no customer has what they are matched by. */
export function rowsUnmatched(faults: readonly SetAsideCount[]): number {
  return sumOfRows(faults.filter(isUnmatched));
}

/** The number of rows set aside because they name no customer. */
export function rowsWithoutCustomer(faults: readonly SetAsideCount[]): number {
  return sumOfRows(faults.filter(isWithoutCustomer));
}

/** The number of rows set aside for these reasons. */
export function sumOfRows(counts: readonly { rows: number }[]): number {
  return counts.reduce((sum, { rows }) => sum + rows, 0);
}

/** The forms of a date with slashes in an order, and in the other one. */
export function slashForms(order: DateOrder["order"]) {
  return order === "MDY"
    ? { this_form: "M/D/YYYY", other_form: "D/M/YYYY" }
    : { this_form: "D/M/YYYY", other_form: "M/D/YYYY" };
}

/** A file, and what its dates say about their order. */
export interface DatedFile extends CheckedFile {
  /** Whether a spreadsheet has taken some for its own: then the text is no proof. */
  readonly has_native_dates: boolean;
  /** Undefined where it has no date with slashes. */
  readonly evidence: DateOrder | undefined;
  /**
   * Where all dates are in January in this order, and each is the first of a month in
   * the other: their number, and one of them. Undefined elsewhere.
   */
  readonly first_days:
    | { readonly rows: number; readonly year: number; readonly day: number }
    | undefined;
}

/** Why the dates of a file disprove `date_order`. */
export function dateOrderProblems(
  files: readonly DatedFile[],
  date_order: DateOrder["order"],
): LoadProblem[] {
  const proof = files.find(({ evidence }) => (evidence?.only_this ?? 0) > 0);
  const { this_form, other_form } = slashForms(date_order);
  const other_order = otherOrder(date_order);
  return files.flatMap((dated): LoadProblem[] => {
    const { file, table, faults, evidence, first_days, source } = dated;
    if (!evidence || evidence.only_this > 0 || dated.has_native_dates) {
      return [];
    }
    const fault = faults.find(isOtherOrder);
    if (!fault && !first_days) return [];
    const column = table === "products" ? "date" : "date_start";
    return [{
      file,
      line: fault?.line,
      problem: fault
        ? `DATE_ORDER=${date_order} cannot be right for this file: ${evidence.only_other} of its dates, such as ${column} ${
          JSON.stringify(fault.value!.slice(0, SAMPLE_LENGTH))
        }, fit only ${other_form}, and none fits only ${this_form}`
        : `DATE_ORDER=${date_order} is hardly right for this file: as ${other_form} each of its ${
          first_days!.rows
        } dates, such as date "${
          firstDayText(first_days!, date_order)
        }", is the first of a month, and as ${this_form} all are in January`,
      remedy: source
        ? formatRemedy(source, other_order)
        : proof
        ? `${proof.file} has dates that fit only ${this_form}: export this file with dates as ${this_form} or YYYY-MM-DD`
        : `Set DATE_ORDER=${other_order}`,
      may_be_mapped: true,
    }];
  });
}

function otherOrder(order: DateOrder["order"]): DateOrder["order"] {
  return order === "MDY" ? "DMY" : "MDY";
}

function formatRemedy(source: string, order: DateOrder["order"]): string {
  return `Write format = "${order}" where ${source} of tally.toml names the column`;
}

function firstDayText(
  { year, day }: NonNullable<DatedFile["first_days"]>,
  date_order: DateOrder["order"],
): string {
  const text = String(day).padStart(2, "0");
  const [first, second] = date_order === "MDY" ? ["01", text] : [text, "01"];
  return `${first}/${second}/${year}`;
}
