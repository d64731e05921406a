/** A loaded version of the data in its own DuckDB instance, with its serving index. */

import type { EngineSnapshot, Progress } from "../engine.ts";
import { customersShape } from "../model/customer_ids.ts";
import type { Names } from "../model/dimensions.ts";
import { createPositionOf } from "../model/names.ts";
import type { ChannelCounts, CustomerQuestion } from "../model/questions.ts";
import type { Limit } from "../model/run.ts";
import { checkIndex } from "./check_index.ts";
import type { Comparable } from "./compare.ts";
import { type Database, openDatabase } from "./database.ts";
import type { Loaded } from "../model/report.ts";
import { QueryRunner, questionError } from "./query_runner.ts";
import { buildQueryTables } from "./query_tables.ts";
import { createQuestions, planCustomer } from "./query_plans.ts";
import { readIndex } from "./read_index.ts";
import { createCustomers } from "../serving/customers.ts";
import { countedRows, knownRows } from "../serving/counted.ts";
import { countKinds } from "../serving/kind_totals.ts";
import { matrixRows } from "../serving/matrix.ts";
import { reachedRows } from "../serving/reached.ts";
import { indexFilterOf, recall } from "../serving/recall.ts";
import { ServingIndex } from "../serving/serving_index.ts";
import type { QuestionSlots, Slots } from "../serving/slots.ts";
import { Users } from "../serving/users.ts";
import type { Snapshot } from "../store.ts";

/** A snapshot in DuckDB. */
export interface DuckdbSnapshot extends EngineSnapshot, Comparable {
  /** Where its database lies. */
  readonly folder: string;
}

/** How a snapshot answers. */
export interface ServingOptions {
  /** Such as `600MB`. */
  readonly memory_limit: string;
  /** Number of threads for queries. */
  readonly threads: number;
  readonly serve_from: "index" | "query";
  readonly slots: Slots;
}

/** What a snapshot answers without a query, unless SERVE_FROM=query. */
type FromMemory = Pick<Snapshot, "countByChannel" | "recall" | "ask">;

/** How a snapshot is opened. */
export interface OpenOptions extends ServingOptions {
  /** An empty folder, which the caller removes. */
  readonly folder: string;
  /** Folders beside it that the load reads. */
  readonly also_reads?: readonly string[];
  /** Number of threads for the load. */
  readonly load_threads: number;
  readonly progress: Progress;
  /** When it is aborted, the load ends. */
  readonly signal: AbortSignal;
}

/**
 * Opens a snapshot on a new database that `fill` fills. Throws the errors of `fill`,
 * and when the signal ends it.
 */
export async function openSnapshot(
  fill: (database: Database) => Promise<Loaded>,
  options: OpenOptions,
): Promise<DuckdbSnapshot> {
  const { folder, slots, progress } = options;
  const database = await openDatabase(folder, {
    memory_limit: options.memory_limit,
    threads: options.load_threads,
    also_reads: options.also_reads,
    signal: options.signal,
  });
  try {
    const loaded = await fill(database);
    const { report, channels, topics, row_counts } = loaded;
    const { date_range } = report;
    const anonymous = report.mapping?.anonymous_interactions ?? 0;
    const has_anonymous = anonymous > 0;
    progress("counting per day");
    const { dimensions, customer_names } = await buildQueryTables(
      database,
      loaded,
    );
    progress("building the serving index");
    const { columns, texts, anonymous_groups } = await readIndex(database, {
      customers: report.customers,
      interactions: report.interactions - anonymous,
      anonymous,
      channels: channels.length,
      topics: topics.length,
      shape: customersShape(report),
      dimensions,
      customer_names,
    });
    const index = new ServingIndex(columns);
    const customers = await createCustomers(
      customersShape(report),
      texts.customer_ids,
    );
    progress("checking the index against the query");
    await checkIndex(database, index, {
      channel_count: channels.length,
      customers,
    });

    const users = new Users();

    const names: Names = {
      ...customer_names,
      channel: channels,
      topic: topics,
    };
    const positionOf = createPositionOf(names);
    const { kinds, customer_names: names_of } = texts;
    const memory = {
      index,
      dimensions,
      names,
      customers,
      customer_names: names_of,
      kinds,
      positionOf,
      date_range,
      anonymous: anonymous_groups,
      kind_totals: await countKinds(index, kinds.length),
    };
    const queries = createQuestions(new QueryRunner(database), {
      dimensions,
      names,
      customers,
      has_anonymous,
      positionOf,
    });
    const from_index: FromMemory = {
      countByChannel(question) {
        const place = index.placeOf(question.customer_id);
        return place < 0
          ? null
          : index.count(place, indexFilterOf(memory, question));
      },
      recall: (question) => recall(memory, question),
      ask(question, run) {
        const rows = queries.ask(question, run);
        switch (question.kind) {
          case "reached":
            return { ...rows, ...reachedRows(memory, { question, run }) };
          case "metrics":
            return { ...rows, ...countedRows(memory, { question, run }) };
          case "customer_count":
            return { ...rows, ...knownRows(memory, { question, run }) };
          case "interactions":
            return { ...rows, ...matrixRows(memory, { question, run }) };
          default:
            return rows;
        }
      },
    };
    const served = options.serve_from === "index" ? from_index : {
      countByChannel: await prepareCount(database, {
        users,
        slots: slots.customers,
        channel_count: channels.length,
      }),
      recall: () => null,
      ask: queries.ask,
    };
    await database.lock(options.threads);
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
      dimensions,
      names,
      customers,
      date_range,
      begin: (limit, { whole } = {}) =>
        slots[whole ? "downloads" : "questions"].take(limit),
      explain: queries.explain,
      positionOf,
      ...served,
      retain: () => users.add(),
      close: () => closed ??= users.gone().then(() => database.close()),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

// The queue is bounded, and the query takes about a millisecond.
const PATIENT: Limit = {
  signal: new AbortController().signal,
  ends_at_ms: Infinity,
};

/** Prepares the query that replaces the index with SERVE_FROM=query. */
async function prepareCount(
  database: Database,
  { users, slots, channel_count }: {
    readonly users: Users;
    readonly slots: QuestionSlots;
    readonly channel_count: number;
  },
): Promise<(question: CustomerQuestion) => Promise<ChannelCounts | null>> {
  const query = await database.prepare("queries/customer_interactions");
  return async function countFromQuery(question) {
    using _ = users.add();
    using _run = await slots.take(PATIENT);
    // A channel may be called customer_id, so counts are read by position.
    const [row] = await query(planCustomer(question).values)
      .catch((error) => {
        throw questionError(error);
      });
    return row
      ? Uint32Array.from(row.slice(1, 1 + channel_count), Number)
      : null;
  };
}
