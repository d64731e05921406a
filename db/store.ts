/** The interface between HTTP and data: the store and its snapshots, as routes see them. */

import type { NamedDimension, Names } from "./model/dimensions.ts";
import { StoreError } from "./model/problems.ts";
import type {
  ChannelCounts,
  CustomerQuestion,
  Question,
  Rows,
  Run,
  Statement,
} from "./model/questions.ts";
import type {
  CountedTable,
  DateRange,
  LoadReport,
  Refresh,
  RefreshState,
} from "./model/report.ts";

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
  /** The known names of each dimension, `channels` and `topics` among them. */
  readonly names: Names;
  /** First and last day with an interaction; null without any. */
  readonly date_range: DateRange | null;
  /** Rows a table, as `/api/v1/stats/{table}` tells. */
  readonly row_counts: Readonly<Record<CountedTable, number>>;
  readonly report: LoadReport;
  /** The position of a name among the known ones, ignoring case; undefined when there is none. */
  positionOf(dimension: NamedDimension, name: string): number | undefined;
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
  discard(data_version: string): Promise<void>;
  /**
   * Serves the snapshot before the one being served, out of STATE_DIR; the files
   * that led away from it are not built again until they change.
   */
  rollback(): Promise<void>;
  /** Tells `listener` of each refresh from now on; what it answers ends that. */
  subscribe(listener: (refresh: Refresh) => void): () => void;
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

/** The snapshot being served, or as much of it as is seen; throws while there is none. */
export function requireSnapshot<Seen extends object>(
  { snapshot }: { readonly snapshot: Seen | null },
): Seen {
  if (snapshot) return snapshot;
  throw new StoreError(
    "unavailable",
    "No data is loaded yet; /readyz tells why.",
  );
}
