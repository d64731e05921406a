/** Prints the log: for a person on a terminal, elsewhere one JSON object per line. */

import type {
  Log,
  LogEntry,
  LogEvent,
  LogLevel,
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
  // By the console, of which OTEL_DENO sends a copy.
  try {
    if (is_info) console.log(text);
    else console.error(text);
  } catch {
    // The disk under the log is full. A process that ends, or does not load, for want
    // of a line is worse than a line that is lost.
  }
};

/** Prints requests, all to the standard output in one piece. */
export function printRequests(records: readonly RequestRecord[]): void {
  const print = Deno.stdout.isTerminal() ? requestText : requestLine;
  write(`${records.map(print).join("\n")}\n`);
}

// The console would take as long as all else that is done for a line.
function write(text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) {
      bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
    }
  } catch {
    // Nobody reads any more, or there is no room: the same as above.
  }
}

/** A request as a person reads it. */
export function requestText(record: RequestRecord): string {
  const { time_ms, status } = record;
  const entry = { level: levelOf(status), event: "request" };
  return terminalText(
    { ...entry, text: textOf(record) },
    new Date(time_ms),
  );
}

/** A request as one line of JSON. Put together by hand, since there may be many: it takes a fifth of the time. */
export function requestLine(record: RequestRecord): string {
  const { time_ms, id, method, route, status, ms, bytes } = record;
  const { key_id, data_version, customer_id } = record;
  return `{"time":"${isoText(time_ms)}","level":"${
    levelOf(status)
  }","event":"request","text":${quoted(textOf(record))},"id":${
    quoted(id)
  },"method":${quoted(method)},"route":${
    quoted(route)
  },"status":${status},"ms":${ms},"bytes":${bytes},"key_id":${
    quoted(key_id)
  },"data_version":${quoted(data_version)}${
    customer_id === undefined ? "" : `,"customer_id":${quoted(customer_id)}`
  }}`;
}

function textOf({ method, route, status, ms, id }: RequestRecord): string {
  return `${method} ${route} ${status} after ${ms} ms, request ${id}`;
}

function levelOf(status: number): LogLevel {
  return status >= 500 ? "error" : status >= 400 ? "warning" : "info";
}

/** Characters of a JSON text that mean themselves. */
const PLAIN = /^[\w /:.-]*$/;

function quoted(text: string | null): string {
  return text !== null && PLAIN.test(text) ? `"${text}"` : lineOf(text);
}

// Of the last time, since many requests share one.
let iso = { time_ms: NaN, text: "" };

function isoText(time_ms: number): string {
  if (iso.time_ms !== time_ms) {
    iso = { time_ms, text: new Date(time_ms).toISOString() };
  }
  return iso.text;
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

function lineOf(value: object | string | null): string {
  return JSON.stringify(value).replaceAll(
    OBEYED,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
