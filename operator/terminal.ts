/** What the operator's terminal shows beside the log: progress, the report of a load, who may ask. */

import { count } from "../db/model/count.ts";
import { harmless } from "../db/model/names.ts";
import {
  type DateOrder,
  type FileReport,
  type LoadReport,
  setAsideByFile,
} from "../db/model/report.ts";
import { slashForms } from "../db/model/row_problems.ts";
import { isDenied } from "../db/model/system_errors.ts";
import type { Snapshot } from "../db/store.ts";

/** After this many milliseconds a load shows what it is doing. */
const PATIENCE_MS = 1_000;
const REFRESH_MS = 100;

/** Shows the steps of a load in one line, which it overwrites; does nothing when stderr is not a terminal. */
export function startProgress(): {
  step: (text: string) => void;
  stop: () => void;
} {
  if (!Deno.stderr.isTerminal()) return { step() {}, stop() {} };
  const write = (text: string) =>
    Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  let current = "";
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    step(text) {
      current = text;
      if (timer !== undefined) return;
      const began = performance.now();
      timer = setInterval(() => {
        const elapsed = performance.now() - began;
        if (elapsed < PATIENCE_MS) return;
        write(`Loading, ${(elapsed / 1000).toFixed(1)} s: ${current} …`);
      }, REFRESH_MS);
    },
    stop() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      write("");
    },
  };
}

/** Ends the process with a text for the person who has started it. */
export function fail(text: string): never {
  console.error(text);
  Deno.exit(1);
}

/** Prints a text; where the output cannot be written, such as on a full disk, says so and sets the exit code. */
export function print(text: string): void {
  try {
    console.log(text);
  } catch (error) {
    console.error(`The output cannot be written: ${(error as Error).message}`);
    Deno.exitCode = 1;
  }
}

/** Who may ask, in one line; `hosts` are those that are answered, null for every one. */
export function accessText(
  hosts: readonly string[] | null,
  { is_open, has_admin, key_count }: {
    /** Whether reading needs no key. */
    readonly is_open: boolean;
    readonly has_admin: boolean;
    /** The number of keys of the key file that work. */
    readonly key_count: number;
  },
): string {
  const reading = is_open
    ? "is open to all who reach it"
    : `needs a key (API_KEYS_FILE, keys that work: ${key_count})`;
  const administration = has_admin
    ? "needs an administrator's key"
    : "is off (ADMIN_KEY_SHA256)";
  const answered = hosts
    ? `${hosts.join(", ")} (ALLOWED_HOSTS)`
    : "every one; set ALLOWED_HOSTS to the names that requests have";
  return `Reading ${reading}; administration ${administration}. Hosts answered: ${answered}.`;
}

/** Says that a file or folder, which a person has named, cannot be written. */
export function cannotBeWritten(path: string, error: unknown): string {
  return `${path} cannot be written: ${
    isDenied(error)
      ? "this process may not write there"
      : (error as Error).message
  }`;
}

/** The whole report of a load that succeeded: every file, the first rows set aside, the warnings. */
export function fullReport(
  snapshot: Snapshot,
  { warnings, paint }: {
    readonly warnings: readonly string[];
    readonly paint: Paint;
  },
): string {
  const { report } = snapshot;
  return [
    paint("good", `Fit to serve, data version ${report.data_version}`),
    "",
    ...aligned([
      FILE_COLUMNS,
      ...report.files.map(fileCells),
    ]).map((line, i) => i === 0 ? paint("heading", line) : line),
    ...section("tally.toml", {
      paint,
      lines: report.files.flatMap(sourceLines),
    }),
    ...section("Set aside", {
      paint,
      lines: setAsideLines(report),
    }),
    ...section("Notes", {
      paint,
      lines: [
        ...warnings,
        ...report.warnings.map(({ text }) => text),
      ],
    }),
    ...section("Totals", { paint, lines: aligned(totals(snapshot)) }),
  ].join("\n");
}

/** Colours a text, or returns it unchanged. */
export type Paint = (as: keyof typeof COLOURS, text: string) => string;

const COLOURS = { heading: 1, bad: 31, good: 32 };

/** Uses colours in a terminal, unless NO_COLOR is set. */
export function createPaint(is_terminal: boolean): Paint {
  return is_terminal && !Deno.noColor
    ? (as, text) => `\x1b[${COLOURS[as]}m${text}\x1b[0m`
    : (_, text) => text;
}

/** Number of rows set aside that are shown per file. */
const SET_ASIDE_SHOWN = 10;

const FILE_COLUMNS = [
  "File",
  "table",
  "rows read",
  "kept",
  "set aside",
  "merged",
  "bytes",
  "seconds",
  "sha-256",
  "encoding",
  "delimiter",
  "header",
  "dates",
];

const DELIMITER_NAMES: Record<string, string> = {
  ",": "comma",
  ";": "semicolon",
  "\t": "tab",
  "|": "bar",
};

function fileCells(file: FileReport): string[] {
  return [
    file.file,
    file.table,
    count(file.rows_read),
    count(file.rows_kept),
    count(file.rows_set_aside),
    count(file.interactions_merged),
    count(file.bytes),
    file.seconds.toFixed(1),
    file.sha256.slice(0, 12),
    file.encoding ?? "",
    file.delimiter === null ? "" : DELIMITER_NAMES[file.delimiter],
    file.header_line === null
      ? ""
      : `${file.delimiter === null ? "row" : "line"} ${file.header_line}`,
    file.date_forms.map(({ form, rows }) =>
      `${count(rows)} ${form}${orderEvidence(file.date_order, form)}`
    ).join(", "),
  ];
}

/** How tally.toml has a file read. */
function sourceLines(file: FileReport): string[] {
  const { source, columns = [], rows_passed_over = 0 } = file;
  if (source === undefined) return [];
  const over = rows_passed_over > 0
    ? `, rows passed over: ${count(rows_passed_over)}`
    : "";
  return [
    `${file.file} is of ${source}${over}`,
    ...columns.map(({ column, header, read_as }) =>
      `  ${column}: ${
        [header, read_as].filter((part) => part !== null).join(", ")
      }`
    ),
  ];
}

// Such as ` (480 fit only this order, 3 only M/D/YYYY)`.
function orderEvidence(date_order: DateOrder | null, form: string): string {
  if (!date_order) return "";
  const { order, only_this, only_other } = date_order;
  const { this_form, other_form } = slashForms(order);
  if (form !== this_form) return "";
  const evidence = [
    ...only_this > 0 ? [`${count(only_this)} fit only this order`] : [],
    ...only_other > 0 ? [`${count(only_other)} only ${other_form}`] : [],
  ];
  return evidence.length > 0 ? ` (${evidence.join(", ")})` : "";
}

function setAsideLines(report: LoadReport): string[] {
  const listed = setAsideByFile(report);
  return report.files.flatMap(({ file, set_aside, rows_set_aside }, i) => {
    if (rows_set_aside === 0) return [];
    const shown = listed[i].slice(0, SET_ASIDE_SHOWN);
    const more = rows_set_aside - shown.length;
    return [
      ...set_aside.map(({ column, reason, rows }) =>
        `${file}, ${column}, ${reason}: ${count(rows)}`
      ),
      ...shown.map(({ line, column, value, reason }) =>
        `  line ${line}, ${column} ${JSON.stringify(value)}: ${reason}`
      ),
      ...more > 0 ? [`  and ${count(more)} more`] : [],
    ];
  });
}

function section(
  title: string,
  { paint, lines }: {
    readonly paint: Paint;
    readonly lines: readonly string[];
  },
): string[] {
  if (lines.length === 0) return [];
  return [
    "",
    paint("heading", title),
    ...lines.map((line) => `  ${harmless(line)}`),
  ];
}

/** Rows of cells as lines; columns of numbers are aligned to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) =>
    Math.max(...rows.map((cells) => cells[i].length))
  );
  const last = rows[rows.length - 1];
  const numeric = rows[0].map((_, i) => /^[\d,.]+$/.test(last[i]));
  return rows.map((cells) =>
    cells.map((cell, i) =>
      numeric[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])
    ).map(harmless).join("  ").trimEnd()
  );
}

/** The totals of a version, each with its name. */
export function totals(
  { report, channels, topics }: Snapshot,
): [string, string][] {
  const { date_range } = report;
  return [
    ["customers", customers(report)],
    [
      "interactions",
      count(report.interactions) +
      (date_range ? `, from ${date_range.first} to ${date_range.last}` : ""),
    ],
    ["channels", listed(channels)],
    ["topics", listed(topics)],
    ["types", listed(report.types)],
  ];
}

function customers({ customers, orphan_customers }: LoadReport): string {
  return orphan_customers
    ? `${count(customers)}, ${
      count(orphan_customers)
    } of them only in interactions`
    : count(customers);
}

/** How many rows of which files were set aside, and why most of them. */
export function setAsideText({ files }: LoadReport): string {
  const dirty = files.filter(({ rows_set_aside }) => rows_set_aside > 0);
  if (dirty.length === 0) return "no rows";
  return dirty.map(({ file, rows_set_aside, rows_read, set_aside }) => {
    const [{ column, reason }] = set_aside;
    return `${count(rows_set_aside)} of ${
      count(rows_read)
    } rows of ${file}, most often ${column}: ${reason}`;
  }).join(`\n${" ".repeat(14)}`);
}

function listed(names: readonly string[]): string {
  const more = names.length > 10 ? `, and ${names.length - 10} more` : "";
  return names.slice(0, 10).join(", ") + more || "none";
}
