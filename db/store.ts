/** The interface between HTTP and data: what a store answers, in which shapes, with which errors. */

/** What the routes ask of a store, whichever engine is behind it. */
export interface Store {
  /** The snapshot being served; a request reads this once. Null until a load succeeds. */
  readonly snapshot: Snapshot | null;
  /** Why there is no snapshot, as one text for people; null while one is loading or served. */
  readonly problem: string | null;
  readonly refreshes: Refreshes;
  readonly files: ExportFiles;
}

/** One immutable, loaded version of the data. */
export interface Snapshot {
  /** 16 hex digits: equal for equal files, settings and load rules, on any machine. */
  readonly data_version: string;
  /** When loading ended, ISO 8601 in UTC. */
  readonly loaded_at: string;
  /** Every known channel, in code-point order: the order of all counts. */
  readonly channels: readonly string[];
  /** Every known topic, in code-point order; a topic's code is its position. */
  readonly topics: readonly string[];
  /** Every type that a customer has, in code-point order. */
  readonly types: readonly string[];
  /**
   * Every occupation that a customer has, in code-point order; null when there are
   * so many that the column is free text, by which nothing is counted.
   */
  readonly occupations: readonly string[] | null;
  /** First and last day with an interaction; null without any. */
  readonly date_range: DateRange | null;
  /** Rows a table, as `/api/v1/stats/{table}` tells. */
  readonly rows: Readonly<Record<CountedTable, number>>;
  readonly report: LoadReport;
  /** The code of the topic of that name, ignoring case; undefined when there is none. */
  topicCode(name: string): number | undefined;
  /** The name as it is shown, ignoring case; undefined when there is none. */
  findName(dimension: NamedDimension, name: string): string | undefined;
  /**
   * Interactions of one customer per channel, in the order of `channels`.
   * Null when the customer is not known.
   */
  countByChannel(
    question: CustomerQuestion,
  ): ChannelCounts | null | Promise<ChannelCounts | null>;
  /**
   * The rows that answer a question. It runs when the first of them is read, by
   * whoever retains the snapshot until the last one is.
   */
  ask(question: Question, run: Run): Rows;
  /** The SQL by which `question` is answered. */
  explain(question: Question | CustomerQuestion): Promise<Statement>;
  /**
   * Keeps the snapshot open until what this answers is disposed. Who asks it more
   * than one question retains it first, in the same turn as it read `store.snapshot`.
   */
  retain(): Disposable;
}

/** A table of which the rows are told. */
export type CountedTable = "customers" | "interactions" | "products";

/** Interactions per channel. */
export type ChannelCounts = ArrayLike<number>;

/** Which interactions of which customer to count; both days are included. */
export interface CustomerQuestion {
  /** 1 to 2^53-1. */
  readonly customer_id: number;
  /** First day, `YYYY-MM-DD`, a real calendar day. */
  readonly start_date?: string;
  /** Last day, `YYYY-MM-DD`, a real calendar day. */
  readonly end_date?: string;
  /** From `topicCode`. */
  readonly topic_code?: number;
}

/** A dimension whose values are names. */
export type NamedDimension = "channel" | "topic" | "type" | "occupation";

/** What interactions are grouped by; a period is one of a calendar, `week` is ISO's. */
export type Dimension = NamedDimension | "customer_id" | Interval | "weekday";

/** A length of periods. */
export type Interval = "day" | "week" | "month" | "quarter" | "year";

/**
 * Which interactions count, or which customers: those that meet every filter. The
 * names are as `findName` gives them; null stands for those without a value.
 */
export interface Filter {
  /** First day, `YYYY-MM-DD`, a real calendar day. */
  readonly start_date?: string;
  /** Last day, `YYYY-MM-DD`, a real calendar day. */
  readonly end_date?: string;
  readonly channels?: readonly string[];
  readonly topics?: readonly (string | null)[];
  readonly types?: readonly (string | null)[];
  readonly occupations?: readonly (string | null)[];
  readonly customer_ids?: readonly number[];
}

/** What a snapshot answers with rows. */
export type Question =
  | MetricsQuestion
  | InteractionsQuestion
  | TimelineQuestion
  | TopicsQuestion
  | CustomersQuestion
  | CustomerCountQuestion;

/**
 * How many interactions there are. Columns: `by`, then without a pivot
 * `interactions`, else the pivoted ones and `total`, which counts an interaction
 * once; with `compared_with` also `previous` and `change`, a share of `previous`
 * or null. The groups that occur, in order; without `by` there is always one row.
 */
export interface MetricsQuestion {
  readonly kind: "metrics";
  readonly by: readonly Dimension[];
  readonly pivot?: "channel" | "topic" | "type" | "weekday";
  readonly filter: Filter;
  /** The period of `previous`; `filter` has both dates then. */
  readonly compared_with?: {
    readonly start_date: string;
    readonly end_date: string;
  };
  /** At most so many rows. */
  readonly limit?: number;
}

/**
 * Every customer by every channel. Columns: customer_id, occupation, type, the
 * channels of the filter, total. Types, occupations and customer_ids choose the
 * customers, the other filters what is counted.
 */
export interface InteractionsQuestion {
  readonly kind: "interactions";
  readonly filter: Filter;
  /** `customer_id`, `total`, or a channel; ties are by customer_id, ascending. */
  readonly sort: {
    readonly by: InteractionsSort;
    readonly descending: boolean;
  };
  /** The rows after that of this customer_id with this value to sort by. */
  readonly after?: { readonly value: number; readonly customer_id: number };
  readonly limit?: number;
}

/** What customers are sorted by. */
export type InteractionsSort =
  | "customer_id"
  | "total"
  | { readonly channel: string };

/**
 * One customer's interactions a period. Columns: period, the channels of the
 * filter, total. From the first day asked for or with an interaction to the last,
 * within 1900-01-01 to 2078-12-31; periods without any have zeros.
 */
export interface TimelineQuestion {
  readonly kind: "timeline";
  readonly customer_id: number;
  readonly interval: Interval;
  readonly filter: Filter;
  readonly limit?: number;
}

/** One customer's interactions a topic. Columns: topic, the channels of the filter, total. */
export interface TopicsQuestion {
  readonly kind: "topics";
  readonly customer_id: number;
  readonly filter: Filter;
}

/**
 * The known customers by customer_id. Columns: customer_id, occupation, type,
 * known_from (`customers` with a record, else `interactions`), first_contact and
 * last_contact (`YYYY-MM-DD`), every channel, total.
 */
export interface CustomersQuestion {
  readonly kind: "customers";
  readonly filter: Filter;
  /** What the id, or ignoring case the occupation, begins with. */
  readonly prefix?: string;
  readonly after_customer_id?: number;
  readonly limit?: number;
}

/**
 * How many customers are known. Columns: `by`, customers. The groups that occur,
 * in order; without `by` there is always one row.
 */
export interface CustomerCountQuestion {
  readonly kind: "customer_count";
  readonly by: readonly ("type" | "occupation")[];
  /** Counts only the customers known from interactions alone. */
  readonly without_record?: boolean;
  readonly filter: Filter;
}

/** SQL that answers a question. */
export interface Statement {
  /** The file in sql/, without its ending, or what composes it. */
  readonly name: string;
  readonly text: string;
}

/** What a load did with every file: printed in short, served in full. */
export interface LoadReport {
  readonly data_version: string;
  /** When loading ended, ISO 8601 in UTC. */
  readonly loaded_at: string;
  /** Duration of the whole load, in seconds. */
  readonly seconds: number;
  readonly files: readonly FileReport[];
  /** What lies in the folder and is not read; the first 100. */
  readonly ignored: readonly IgnoredFile[];
  /** How many files are ignored in all. */
  readonly ignored_files: number;
  /** The first rows set aside, in the order of files and lines. */
  readonly rejects: readonly Reject[];
  /** Known customers: those with a record and those known only from interactions. */
  readonly customers: number;
  /** A customer to try the API with: the one with the lowest id. */
  readonly example_customer_id: number | null;
  /** Customers known only from interactions. */
  readonly orphan_customers: number;
  /** Customers with several records that differ; the later one won. */
  readonly conflicting_customers: number;
  /** Interactions, after a row that lists several customers is split. */
  readonly interactions: number;
  /** Interactions equal in customer, time, channel and topic to one before; they count. */
  readonly duplicate_interactions: number;
  /** Interactions found in several overlapping exports and counted once. */
  readonly merged_interactions: number;
  /** Interactions later than the moment of loading. */
  readonly future_interactions: number;
  /** First and last day with an interaction; null when there is none. */
  readonly date_range: DateRange | null;
  /** The latest interaction that is not in the future, `YYYY-MM-DD HH:MM:SS`. */
  readonly latest_interaction: string | null;
  /** Interactions on each channel, in code-point order of the channels. */
  readonly channels: readonly ChannelCount[];
  /** Files of which more than MAX_REJECTED is set aside, in plain words. */
  readonly too_many_set_aside: readonly string[];
  /** Every type of a customer, in code-point order. */
  readonly types: readonly string[];
  /** Months, `YYYY-MM`, with interactions that have no topic; empty when there are no topics at all. */
  readonly months_without_topic: readonly string[];
  /** What loaded and may still not be as meant, for people to look at. */
  readonly warnings: readonly Warning[];
}

/** Something in the data that may not be as meant. */
export interface Warning {
  readonly kind: WarningKind;
  /** How many of what the kind names. */
  readonly count: number;
  /** In plain words, with the file and the first names where there are any. */
  readonly text: string;
}

/** What warnings are about. */
export const WARNING_KINDS = [
  "orphan_customers",
  "conflicting_customers",
  "duplicate_interactions",
  "merged_interactions",
  "future_interactions",
  "months_without_topic",
  "no_topics",
  "unknown_columns",
  "ignored_files",
] as const;

/** What a warning is about. */
export type WarningKind = typeof WARNING_KINDS[number];

/** What a load did with one file. */
export interface FileReport {
  /** Path below the data folder; of a sheet, such as `crm.xlsx, sheet customers`. */
  readonly file: string;
  readonly table: string;
  readonly bytes: number;
  readonly sha256: string;
  /** How the text was encoded; null for Parquet and Excel. */
  readonly encoding: string | null;
  /** `rows_read` = `rows_kept` + `rows_set_aside`. */
  readonly rows_read: number;
  readonly rows_kept: number;
  readonly rows_set_aside: number;
  /** Exact counts, the most frequent first. */
  readonly set_aside: readonly RejectCount[];
  /** Interactions of this file that an overlapping export has as well; they count once, there. */
  readonly interactions_merged: number;
  /** How times are written in the rows kept, the most frequent first. */
  readonly date_forms: readonly DateFormCount[];
  /** Columns that mean nothing here; the first 100. */
  readonly unknown_columns: readonly string[];
  /** Time to copy and read it, in seconds. */
  readonly seconds: number;
}

/** How many rows of a file have a time or month in one form. */
export interface DateFormCount {
  /** Such as `D/M/YYYY`, `YYYY-MM-DD`, `YYYY-MM-DD with an offset`, `M-YYYY`, or `native` in Parquet. */
  readonly form: string;
  readonly rows: number;
}

/** How many interactions a channel has. */
export interface ChannelCount {
  readonly channel: string;
  readonly interactions: number;
}

/** How many rows of a file were set aside for one reason. */
export interface RejectCount {
  readonly column: string;
  readonly reason: string;
  readonly rows: number;
}

/** One row that breaks a rule. */
export interface Reject {
  readonly file: string;
  /** Record number in the file; the header is 1 and empty lines are not counted. In a sheet, the row. */
  readonly line: number;
  readonly column: string;
  /** The cell as it stands in the file, its first 200 characters. */
  readonly value: string | null;
  readonly reason: string;
}

/** What the latest refresh came to. */
export type RefreshState = "building" | "serving" | "held" | "failed";

/** Keeps the data fresh: looks at the files, builds the next snapshot, decides what is served. */
export interface Refreshes {
  /** `building` while one is built, else what the latest one came to. */
  readonly state: RefreshState;
  /** The latest first, without the rows set aside; never more than 50. */
  readonly history: readonly Refresh[];
  /** The refresh that waits for a decision, if any. */
  readonly held: Refresh | null;
  /** What changed files are waited for, in plain words; empty when none are. */
  readonly waiting: readonly string[];
  /** Whether the snapshot being served comes from STATE_DIR, the exports being no good. */
  readonly restored: boolean;
  /** Looks at the files now instead of at the next poll, also at files that failed before. */
  request(): void;
  /** Serves the held snapshot. Throws a StoreError when `data_version` is not what is held. */
  accept(data_version: string): Promise<void>;
  /** Discards the held snapshot; its files are not built again until they change. */
  reject(data_version: string): Promise<void>;
  /**
   * Serves the snapshot before the one being served, out of STATE_DIR; the files
   * that led away from it are not built again until they change.
   */
  rollback(): Promise<void>;
  /** Tells `listener` of each refresh from now on; what it answers ends that. */
  subscribe(listener: (refresh: Refresh) => void): () => void;
}

/** One build of a snapshot, and what became of it. */
export interface Refresh {
  /** ISO 8601 in UTC. */
  readonly started_at: string;
  /** ISO 8601 in UTC. */
  readonly ended_at: string;
  readonly state: Exclude<RefreshState, "building">;
  /** Why it is held or has failed, or what it was served with in spite of, in plain words. */
  readonly reasons: readonly string[];
  /** Null when the files could not be loaded. */
  readonly report: LoadReport | null;
  /** Against the snapshot served before; null when there was none. */
  readonly changes: Changes | null;
}

/** What differs between a snapshot and the one served before. */
export interface Changes {
  readonly previous_data_version: string;
  readonly tables: Readonly<Record<CountedTable, TableChange>>;
  readonly new_customers: number;
  readonly vanished_customers: number;
  readonly new_channels: readonly string[];
  readonly vanished_channels: readonly string[];
  readonly new_types: readonly string[];
  readonly vanished_types: readonly string[];
  readonly new_topics: readonly string[];
  readonly vanished_topics: readonly string[];
  readonly date_range: DateRange | null;
  readonly previous_date_range: DateRange | null;
}

/** Rows of a table that are there now and were not before, and the other way round. */
export interface TableChange {
  readonly rows_added: number;
  readonly rows_gone: number;
}

/** First and last day with an interaction, `YYYY-MM-DD`. */
export interface DateRange {
  readonly first: string;
  readonly last: string;
}

/** A cell of an answer: text, a number, or no value. */
export type Cell = string | number | null;

/** A column of an answer. */
export interface RowsColumn {
  readonly name: string;
  readonly type: "text" | "integer" | "number";
}

/** An answer of rows, read once from first to last. */
export interface Rows {
  /** Their names differ, even ignoring case. */
  readonly columns: readonly RowsColumn[];
  /** The columns that JSON has in an object of its own, `interactions`. */
  readonly pivoted?: Pivoted;
  /** Some rows at a time, each a cell a column. */
  readonly batches: AsyncIterable<readonly (readonly Cell[])[]>;
  /** How many rows there are, by a query of its own. */
  count(): Promise<number>;
}

/** Columns of counts that stand side by side, one for each value of a dimension. */
export interface Pivoted {
  /** Position of the first one among the columns. */
  readonly start: number;
  /** The values in the order of the columns; `null` is the one without a name. */
  readonly names: readonly string[];
}

/** A file that is not read, and why. */
export interface IgnoredFile {
  readonly file: string;
  readonly reason: string;
}

/** Why data could not be loaded: where, what, and what to do. */
export interface LoadProblem {
  /** Path below the data folder; absent when no single file is to blame. */
  readonly file?: string;
  /** Record number in the file, the header is 1. */
  readonly line?: number;
  readonly problem: string;
  readonly remedy: string;
}

/** The exports in the data folder, for clients that deliver them. */
export interface ExportFiles {
  /** What lies there now, by name. */
  list(): Promise<readonly ExportFile[]>;
  /**
   * Takes an export whole: checks it as a load does, then puts it in the place of
   * one of that name, in one step. Throws a StoreError and leaves nothing behind.
   */
  put(name: string, body: ReadableStream<Uint8Array>): Promise<ExportFile>;
  /** Removes an export. Throws a StoreError when there is none of that name. */
  remove(name: string): Promise<void>;
}

/** An export in the data folder. */
export interface ExportFile {
  /** Path below the data folder. */
  readonly name: string;
  /** Null for a workbook that may hold a sheet a table. */
  readonly table: string | null;
  readonly bytes: number;
  readonly sha256: string;
  /** ISO 8601 in UTC. */
  readonly modified_at: string;
}

/** What can go wrong in operation, and how it is told apart. */
export type StoreErrorKind =
  /** Nothing is loaded yet. */
  | "unavailable"
  /** The data breaks the file contract. */
  | "refused"
  /** What was asked for cannot be, whatever the data. */
  | "invalid"
  /** There is no such thing. */
  | "missing"
  /** It does not go with the state things are in. */
  | "conflict"
  | "too_large"
  /** No space is left on the disk. */
  | "full"
  /** A question took too long. */
  | "timeout"
  /** Too much at once; later it goes. */
  | "busy"
  /** Nobody waits for the answer any more. */
  | "cancelled";

/** How a question is run. */
export interface Run {
  /** Ends the question when it is aborted; its reason is what the question throws. */
  readonly signal: AbortSignal;
  /** A whole export may take minutes, so exports stand in a queue of their own. */
  readonly whole?: boolean;
}

/** An operating error; anything else that is thrown is a bug. */
export class StoreError extends Error {
  constructor(readonly kind: StoreErrorKind, message: string) {
    super(message);
    this.name = "StoreError";
  }
}

/** The snapshot being served; throws while there is none. */
export function requireSnapshot({ snapshot }: Store): Snapshot {
  if (snapshot) return snapshot;
  throw new StoreError(
    "unavailable",
    "No data is loaded yet; /readyz tells why.",
  );
}

/** The error of a load that refuses its data, for one or more reasons. */
export function refused(...problems: LoadProblem[]): StoreError {
  return new StoreError("refused", problems.map(sentence).join("\n"));
}

/** A problem as one or two sentences. */
export function sentence({ file, line, problem, remedy }: LoadProblem): string {
  const where = [file, line && `line ${line}`].filter(Boolean).join(", ");
  return `${where ? `${where}: ` : ""}${problem}. ${remedy}.`;
}
