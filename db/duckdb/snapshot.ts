/** A loaded version of the data in its own DuckDB instance, with its serving index. */

import type { Config } from "../../config.ts";
import { NAMED_DIMENSIONS, type Names } from "../model/dimensions.ts";
import type { ChannelCounts, CustomerQuestion } from "../model/questions.ts";
import type { Snapshot } from "../store.ts";
import { checkIndex } from "./check_index.ts";
import type { Comparable } from "./compare.ts";
import { type Database, openDatabase } from "./database.ts";
import { dayNumber, LAST_DAY } from "../serving/day_number.ts";
import type { Progress } from "./load.ts";
import type { Loaded } from "../model/report.ts";
import { QueryRunner, type Slots } from "./query_runner.ts";
import { buildQueryTables } from "./query_tables.ts";
import { createQuestions } from "./query_plans.ts";
import { readIndex } from "./read_index.ts";
import { ServingIndex } from "../serving/serving_index.ts";

/** A snapshot that its opener closes. */
export interface OpenSnapshot extends Snapshot, Comparable {
  /** Where its database lies. */
  readonly folder: string;
  /** Waits until nobody retains it, then ends the instance. Idempotent. */
  close(): Promise<void>;
}

/** Fills an empty database, whose folder is `folder`, and tells what is in it. */
export type Fill = (database: Database, folder: string) => Promise<Loaded>;

/**
 * Opens a snapshot of what `fill` puts into a database in `folder`, an empty folder
 * that the caller removes. It is built with `threads`, and answers with as many as
 * DuckDB may use, in `slots`. Throws as `fill` does, and when `signal` ends it.
 */
export async function openSnapshot(
  folder: string,
  fill: Fill,
  threads: number,
  config: Config,
  slots: Slots,
  progress: Progress,
  signal: AbortSignal,
): Promise<OpenSnapshot> {
  const database = await openDatabase(folder, {
    memory_limit: config.DUCKDB_MEMORY_LIMIT,
    threads,
  });
  const interrupt = () => database.interrupt();
  signal.addEventListener("abort", interrupt);
  try {
    const loaded = await fill(database, folder);
    const { report, channels, topics, row_counts } = loaded;
    progress("counting per day");
    const { by_occupation, customer_names, date_range } =
      await buildQueryTables(database);
    progress("building the serving index");
    const columns = await readIndex(database, {
      customers: report.customers,
      interactions: report.interactions,
      channels: channels.length,
      topics: topics.length,
    });
    const index = new ServingIndex(columns);
    progress("checking the index against the query");
    await checkIndex(database, index, channels.length);

    const users = new Users();

    const countFromIndex = (question: CustomerQuestion) =>
      index.count(question.customer_id, {
        first_day: question.start_date ? dayNumber(question.start_date) : 0,
        last_day: question.end_date ? dayNumber(question.end_date) : LAST_DAY,
        topic_code: question.topic_code,
      });
    const countByChannel = config.SERVE_FROM === "index"
      ? countFromIndex
      : await prepareCount(database, users, channels.length);

    await database.lock(config.DUCKDB_THREADS);
    const names: Names = {
      channel: channels,
      topic: topics,
      ...customer_names,
    };
    const find = Object.fromEntries(
      NAMED_DIMENSIONS.map((
        { name },
      ) => [name, positionsOf(names[name] ?? [])]),
    );
    let closed: Promise<void> | undefined;
    return {
      data_version: report.data_version,
      loaded_at: report.loaded_at,
      channels,
      topics,
      row_counts,
      report,
      folder,
      database,
      loaded,
      columns,
      names,
      date_range,
      ...createQuestions(new QueryRunner(database, slots), {
        names,
        by_occupation,
      }),
      positionOf: (dimension, name) => find[dimension](name),
      countByChannel,
      retain: () => users.add(),
      close: () => closed ??= users.gone().then(() => database.close()),
    };
  } catch (error) {
    database.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

/** Counts who uses a thing, and tells when the last one is done. */
class Users {
  #count = 0;
  readonly #gone = Promise.withResolvers<void>();
  #waited_for = false;

  add(): Disposable {
    this.#count++;
    return new User(this);
  }

  /** Has one fewer. */
  leave(): void {
    this.#count--;
    this.#tell();
  }

  /** Resolves when there are none; nobody may be added after. */
  gone(): Promise<void> {
    this.#waited_for = true;
    this.#tell();
    return this.#gone.promise;
  }

  #tell(): void {
    if (this.#waited_for && this.#count === 0) this.#gone.resolve();
  }
}

/** One user, until it is disposed. A class, because every page view makes one: a closure takes 0.2 us more. */
class User implements Disposable {
  #users: Users | null;

  constructor(users: Users) {
    this.#users = users;
  }

  [Symbol.dispose](): void {
    this.#users?.leave();
    this.#users = null;
  }
}

/** Prepares the query that answers instead of the index. */
async function prepareCount(
  database: Database,
  users: Users,
  channel_count: number,
): Promise<(question: CustomerQuestion) => Promise<ChannelCounts | null>> {
  const query = await database.prepare("queries/customer_interactions");
  return async function countFromQuery(question) {
    using _ = users.add();
    // A channel may be called customer_id, so counts are read by position.
    const [row] = await query({
      customer_id: BigInt(question.customer_id),
      start_date: question.start_date ?? null,
      end_date: question.end_date ?? null,
      topic_code: question.topic_code ?? null,
    });
    return row
      ? Uint32Array.from(row.slice(1, 1 + channel_count), Number)
      : null;
  };
}

/** Finds the position of a name, ignoring case; undefined when there is none. */
function positionsOf(
  names: readonly string[],
): (name: string) => number | undefined {
  // By exact name too: most questions have it, and need no folding.
  const positions = new Map([
    ...names.map((name, i) => [foldName(name), i] as const),
    ...names.map((name, i) => [name, i] as const),
  ]);
  return (name) => positions.get(name) ?? positions.get(foldName(name));
}

/**
 * The text that names are compared by, as sql/load/1_stage/rules.sql has it: upper case
 * first, so that the final sigma equals the others; one character for one, so
 * that Straße is not Strasse.
 */
function foldName(name: string): string {
  const text = name.normalize("NFC").replace(/[\s\u0085]+/g, " ").trim();
  const one = (char: string, other: string) =>
    other.length === char.length ? other : char;
  return Array.from(text, (char) => {
    const upper = one(char, char.toUpperCase());
    return one(upper, upper.toLowerCase());
  }).join("");
}
