/** Prints the log: for a person on a terminal, elsewhere one JSON object per line. */

import type {
  Log,
  LogEntry,
  LogEvent,
  RequestRecord,
} from "../db/model/log.ts";
import { harmless } from "../db/model/names.ts";

/** Container runtimes split lines that are longer than 16 KiB. */
const MAX_LINE_BYTES = 16_000;
/** Letters of the text that are left of an entry whose line would be longer. */
const CUT_TEXT = 2_000;

/** Entries of level `info` go to the standard output, others to the standard error. */
export const printEntry: Log = (entry) => {
  const is_info = entry.level === "info";
  const stream = is_info ? Deno.stdout : Deno.stderr;
  const text = stream.isTerminal()
    ? terminalText(entry, new Date())
    : jsonLine(entry, new Date());
  if (is_info) console.log(text);
  else console.error(text);
};

/** Prints requests, all to the standard output in one piece. */
export function printRequests(records: readonly RequestRecord[]): void {
  const lineOf = Deno.stdout.isTerminal() ? terminalText : jsonLine;
  console.log(
    records.map((record) =>
      lineOf(requestEntry(record), new Date(record.time_ms))
    ).join("\n"),
  );
}

/** The entry of a request. */
export function requestEntry(
  { time_ms: _, ...fields }: RequestRecord,
): LogEntry {
  const { id, method, route, status, ms } = fields;
  const text = `${method} ${route} ${status} after ${ms} ms, request ${id}`;
  const level = status >= 500 ? "error" : status >= 400 ? "warning" : "info";
  return { level, event: "request", text, ...fields };
}

/** Prints an entry and ends the process, which cannot go on. */
export function failWith(event: LogEvent): never {
  printEntry({ ...event, level: "error" });
  Deno.exit(1);
}

/** An entry as a person reads it, with the local time; only its first line begins at the left. */
export function terminalText(
  { level, text, account = [], stack }: LogEntry,
  time: Date,
): string {
  const lines = [text, ...account, ...stack === undefined ? [] : [stack]];
  const label = level === "info" ? "" : `${level}: `;
  // Swedish has the order and the digits of ISO 8601.
  return `${time.toLocaleString("sv-SE")} ${label}${
    lines.map(harmless).join("\n").replaceAll("\n", "\n  ")
  }`;
}

/** An entry as one line of JSON in at most 16,000 bytes; `cut` is true where it would have been longer. */
export function jsonLine(
  { level, event, text, account: _, ...fields }: LogEntry,
  time: Date,
): string {
  const head = { time: time.toISOString(), level, event };
  const line = lineOf({ ...head, text, ...fields });
  // In UTF-8, no unit of a text has more than three bytes.
  if (line.length <= MAX_LINE_BYTES / 3) return line;
  if (new TextEncoder().encode(line).length <= MAX_LINE_BYTES) return line;
  return lineOf({ ...head, text: text.slice(0, CUT_TEXT), cut: true });
}

/** What JSON leaves as it is, and terminals or readers of lines obey. */
const OBEYED = /[\u007f-\u009f\u2028\u2029]/g;

function lineOf(value: object): string {
  return JSON.stringify(value).replaceAll(
    OBEYED,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
