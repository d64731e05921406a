/** The interface between HTTP and data: the store and its snapshots, as routes see them. */

import type { CustomerId, CustomersShape } from "./model/customer_ids.ts";
import type { Dimension, NamedDimension, Names } from "./model/dimensions.ts";
import { StoreError } from "./model/problems.ts";
import type {
  Cell,
  ChannelCounts,
  CustomerQuestion,
  Question,
  Rows,
  Statement,
} from "./model/questions.ts";
import type {
  Changes,
  CountedTable,
  DateRange,
  LoadReport,
  Outcome,
  Refresh,
  RefreshState,
} from "./model/report.ts";
import type { Limit, Run } from "./model/run.ts";

/** The store as routes see it, the same for every engine. */
export interface Store {
  /** The snapshot being served; a request reads this once. Null until a load succeeds. */
  readonly snapshot: Snapshot | null;
  /** Why there is no snapshot, as one text for people; null while one is loading or served. */
  readonly problem: string | null;
  /** A notice for the operator about the served data; null when all is well. */
  readonly notice: string | null;
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
  /** The dimensions whose values are names, in the order in which answers list them. */
  readonly dimensions: readonly NamedDimension[];
  /** The known names of each dimension, `channels` and `topics` among them. */
  readonly names: Names;
  readonly customers: Customers;
  /** First and last day with an interaction; null without any. */
  readonly date_range: DateRange | null;
  /** Number of rows per table, as in `/api/v1/stats/{table}`. */
  readonly row_counts: Readonly<Record<CountedTable, number>>;
  readonly report: LoadReport;
  /** The position of a name among the known ones, ignoring case; undefined when there is none. */
  positionOf(dimension: Dimension, name: string): number | undefined;
  /**
   * Interactions of one customer per channel, in the order of `channels`.
   * Null when the customer is not known.
   */
  countByChannel(
    question: CustomerQuestion,
  ): ChannelCounts | null | Promise<ChannelCounts | null>;
  /**
   * The rows that answer a question about customers that it names, at once and from
   * memory; null where it takes a query, or work for more than a moment.
   */
  recall(question: Question): readonly (readonly Cell[])[] | null;
  /**
   * Waits for the turn of a request, in which its questions are asked one after the
   * other. A whole download may take minutes, so downloads wait in a queue of their
   * own. Throws a StoreError "busy" as soon as it is certain that the request cannot
   * end in time, and the reason of `limit.signal` when that is aborted.
   */
  begin(limit: Limit, options?: { readonly whole?: boolean }): Promise<Run>;
  /**
   * The rows that answer a question. The query starts when the first row is read. The
   * caller retains the snapshot until the last row is read.
   */
  ask(question: Question, run: Run): Rows;
  /** The SQL by which `question` is answered, with its values in it. */
  explain(question: Question | CustomerQuestion): Promise<Statement>;
  /**
   * Keeps the snapshot open until the result is disposed. A caller with more than one
   * question retains it first, in the turn of the event loop that reads
   * `store.snapshot`.
   */
  retain(): Disposable;
}

/**
 * How the customers of a snapshot are called. Questions name them by numbers: by the
 * customer_id where that is a whole number, else by its rank among all.
 */
export interface Customers extends CustomersShape {
  /** The number of a customer_id; of a text that is not known, one that no customer has. */
  numberOf(id: CustomerId): number;
  /** The customer_id of the number of a known customer. */
  idOf(number: number): CustomerId;
}

/** Keeps the data fresh: checks the files for changes, builds the next snapshot, decides what is served. */
export interface Refreshes {
  /** `building` while one is built, and before the first result; else the result of the latest one. */
  readonly state: RefreshState;
  /** The latest first, without the rows set aside; never more than 50. */
  readonly history: readonly Refresh[];
  /** What changed with the version that is served; null when it came first, or after a restart. */
  readonly changes: Changes | null;
  /** The refresh that waits for a decision, if any. */
  readonly held: Refresh | null;
  /**
   * The version whose files lie there and are not built until they change; null for
   * none. After several rollbacks it is the one that was left first.
   */
  readonly discarded: string | null;
  /** The changed files that are not complete yet, in plain words; empty when all are. */
  readonly waiting: readonly string[];
  /** Whether the snapshot being served comes from STATE_DIR, and is not that of the exports. */
  readonly restored: boolean;
  /** Checks the files now instead of at the next poll, also files that failed before. */
  request(): void;
  /**
   * Serves the held version; or builds a discarded one, which is then served
   * without being held, and `state` is `building` meanwhile. Throws a StoreError
   * "conflict" when `data_version` is neither, or the files have changed since.
   */
  accept(data_version: string): Promise<void>;
  /** Discards the held version, when it is `data_version`; else throws a StoreError "conflict". */
  discard(data_version: string): Promise<void>;
  /**
   * Goes back from the served version, when it is `data_version`, to the one before
   * it in STATE_DIR, and discards it. Throws a StoreError "conflict" otherwise.
   */
  rollback(data_version: string): Promise<void>;
  /** Calls `listener` with each refresh from now on. Returns a function that unsubscribes. */
  subscribe(listener: (refresh: Refresh) => void): () => void;
}

/**
 * The exports in the data folder, and the files that describe them (`.sha256`,
 * `manifest.json`, `tally.toml`), for clients that deliver them. While the folder is missing, every
 * method throws a StoreError that names DATA_DIR.
 */
export interface ExportFiles {
  /** The files that are there now, sorted by name. */
  list(): Promise<readonly ExportFile[]>;
  /**
   * Stores a file: checks it as a load does, then replaces the file of that name in
   * one step. Throws a StoreError and leaves nothing behind when the file is refused;
   * also when a `.sha256` or the manifest describes other bytes, because the file
   * could never go live.
   */
  put(
    name: string,
    body: ReadableStream<Uint8Array>,
    options?: UploadOptions,
  ): Promise<ExportFile>;
  /** Removes a file. Throws a StoreError when there is none of that name. */
  remove(name: string, preconditions?: Preconditions): Promise<void>;
  /**
   * Builds the folder as it would be with a file in it, and compares it with what is
   * served; keeps nothing. What breaks the file contract is a result; other errors of
   * `put` and of the load are thrown, and a "conflict" while a refresh is built or
   * another file is checked, and when the check gives way to a refresh or a decision.
   */
  check(
    name: string,
    body: ReadableStream<Uint8Array>,
    options: CheckOptions,
  ): Promise<Checked>;
}

/** What is known of an upload before its bytes come. */
export interface UploadOptions extends Preconditions {
  /** The size that it is said to have, in bytes: one that is too large is refused at once. */
  readonly content_length?: number;
}

/** How a file is checked. */
export interface CheckOptions extends UploadOptions {
  /** When it is aborted, the check ends. */
  readonly signal: AbortSignal;
}

/** What would become of the folder with a file in it. */
export interface Checked extends Pick<Refresh, "reasons" | "changes"> {
  readonly outcome: Outcome;
  /** Null when it would be refused. */
  readonly report: LoadReport | null;
  /** What it was compared with; null when nothing was served. */
  readonly beside: Pick<Snapshot, "data_version" | "loaded_at"> | null;
}

/** Values of HTTP headers that a change of a file depends on; an absent one sets no condition. */
export interface Preconditions {
  readonly if_match?: string;
  readonly if_none_match?: string;
}

/** A file in the data folder. */
export interface ExportFile {
  /** Path below the data folder. */
  readonly name: string;
  /** `checksum`, `manifest` and `mapping` describe exports. */
  readonly kind: "export" | "checksum" | "manifest" | "mapping";
  /** Null for a file that may hold several tables, and for one that describes others. */
  readonly table: string | null;
  readonly bytes: number;
  /** In double quotes, it is the file's ETag. */
  readonly sha256: string;
  /** ISO 8601 in UTC. */
  readonly modified_at: string;
}

/** The served snapshot, as the caller sees it. Throws a StoreError while nothing is served. */
export function requireSnapshot<Seen extends object>(
  { snapshot }: { readonly snapshot: Seen | null },
): Seen {
  if (snapshot) return snapshot;
  throw new StoreError(
    "unavailable",
    "No data is loaded yet; /readyz has the reason.",
  );
}
