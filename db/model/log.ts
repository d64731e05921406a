/** What parts of the program tell the operator: entries of a log, which main.ts prints. */

/** How much an entry matters: `error` needs somebody, `warning` may, `info` does not. */
export type LogLevel = "info" | "warning" | "error";

/** A field of an entry, as JSON; undefined ones are left out. */
export type LogValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly LogValue[]
  | { readonly [name: string]: LogValue };

/** What happened. */
export interface LogEvent {
  /** Its name for machines, in snake_case. */
  readonly event: string;
  /** For a person, in one line. */
  readonly text: string;
  readonly [field: string]: LogValue;
}

/** An event as it is logged. */
export interface LogEntry extends LogEvent {
  readonly level: LogLevel;
  /** Further lines for a terminal; elsewhere the fields say the same. */
  readonly account?: readonly string[];
  /** Only of faults of this program. */
  readonly stack?: string | undefined;
}

/** Gets what an operator must see. */
export type Log = (entry: LogEntry) => void;

/** The entry of an error that is a fault of this program, and no operating error. */
export function fault(
  error: unknown,
  { text, ...event }: LogEvent,
): LogEntry {
  const { message, stack } = error instanceof Error
    ? error
    : { message: String(error), stack: undefined };
  return { ...event, level: "error", text: `${text}: ${message}`, stack };
}

/** A request that was answered. */
export interface RequestRecord {
  /** When, in milliseconds of the epoch. */
  readonly time_ms: number;
  /** The one of X-Request-Id. */
  readonly id: string;
  readonly method: string;
  /** The pattern of its path. */
  readonly route: string;
  readonly status: number;
  /** From the request to the answer; to the end of a stream. */
  readonly ms: number;
  /** Of the body. */
  readonly bytes: number;
  /** Null without a key. */
  readonly key_id: string | null;
  readonly data_version: string | null;
  /** Absent unless the settings ask for it. */
  readonly customer_id?: string | null;
}
