/** A version of the data in a database of ClickHouse. */

import type { EngineSnapshot } from "../engine.ts";
import { customersShape } from "../model/customer_ids.ts";
import type { Names } from "../model/dimensions.ts";
import { createPositionOf } from "../model/names.ts";
import { StoreError } from "../model/problems.ts";
import type { Loaded } from "../model/report.ts";
import { createCustomers } from "../serving/customers.ts";
import type { QuestionSlots, Slots } from "../serving/slots.ts";
import { type TextColumn, TextColumnWriter } from "../serving/text_column.ts";
import { Users } from "../serving/users.ts";
import type { Snapshot } from "../store.ts";
import { dimensionsOf, type StoredVersion } from "./journal.ts";
import { createQuestions, qualified, type Version } from "./questions.ts";
import { type ClickhouseServer, limitOf } from "./server.ts";

/** How a snapshot answers. */
export interface ServingOptions {
  readonly slots: Slots;
  /** Page views at once, each a short query. */
  readonly page_views: QuestionSlots;
  /** Time limit of a page view, in milliseconds. */
  readonly timeout_ms: number;
}

/** Numbers for each customer up to the largest id, at most, so that a bitmap of them takes less than a list. */
const MOST_NUMBERS = 32;

/** A snapshot in ClickHouse. */
export interface ClickhouseSnapshot extends EngineSnapshot {
  readonly version: Version;
  readonly stored: StoredVersion;
}

/**
 * Opens the version in `database`. `onClose` is called when it is closed and nobody
 * uses it any more.
 */
export async function openSnapshot(
  server: ClickhouseServer,
  { database, stored, signal, onClose, ...options }: ServingOptions & {
    readonly database: string;
    readonly stored: StoredVersion;
    readonly signal: AbortSignal;
    readonly onClose: () => Promise<void>;
  },
): Promise<ClickhouseSnapshot> {
  const { loaded, customer_names } = stored;
  const { report, channels, topics, row_counts } = loaded;
  const dimensions = dimensionsOf(stored);
  const shape = customersShape(report);
  const customers = await createCustomers(
    shape,
    shape.ids === "text"
      ? await readIds(server, { database, report, signal })
      : null,
  );
  const names: Names = { ...customer_names, channel: channels, topic: topics };
  const version: Version = {
    database,
    dimensions,
    names,
    customers,
    has_anonymous: (report.mapping?.anonymous_interactions ?? 0) > 0,
    has_dense_ids: shape.ids === "text" ||
      await largestId(server, { database, signal }) <
        MOST_NUMBERS * report.customers,
  };
  const { ask, explain, count } = createQuestions(server, version);
  const users = new Users();
  const { slots, page_views, timeout_ms } = options;

  const countByChannel: Snapshot["countByChannel"] = async (question) => {
    using _ = users.add();
    using limit = limitOf(timeout_ms);
    const { signal } = limit;
    const ends_at_ms = performance.now() + timeout_ms;
    try {
      using _run = await page_views.take({ signal, ends_at_ms });
      return await count(question, signal);
    } catch (error) {
      if (error !== signal.reason) throw error;
      throw new StoreError(
        "timeout",
        `ClickHouse did not answer within ${timeout_ms} ms (QUERY_TIMEOUT_MS).`,
      );
    }
  };

  let closed: Promise<void> | undefined;
  return {
    data_version: report.data_version,
    loaded_at: report.loaded_at,
    channels,
    topics,
    dimensions,
    names,
    customers,
    date_range: report.date_range,
    row_counts,
    report,
    loaded,
    version,
    stored,
    positionOf: createPositionOf(names),
    countByChannel,
    recall: () => null,
    begin: (limit, { whole } = {}) =>
      slots[whole ? "downloads" : "questions"].take(limit),
    ask,
    explain,
    retain: () => users.add(),
    close: () => closed ??= users.gone().then(onClose),
  };
}

async function largestId(
  server: ClickhouseServer,
  { database, signal }: {
    readonly database: string;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const sql = qualified("select max(customer_id) from customers", database);
  const [[largest]] = await server.rows({ sql, signal });
  return largest as number;
}

/** The ids that are texts, in the order of their numbers: a request must find the number of one at once. */
async function readIds(
  server: ClickhouseServer,
  { database, report, signal }: {
    readonly database: string;
    readonly report: Loaded["report"];
    readonly signal: AbortSignal;
  },
): Promise<TextColumn> {
  const writer = new TextColumnWriter(report.customers);
  const sql = qualified(
    "select id from customers order by customer_id",
    database,
  );
  for await (const rows of server.query({ sql, signal })) {
    // No id has a line break in it.
    if (rows.length > 0) writer.addLines(rows.map(([id]) => id).join("\n"));
  }
  return writer.end();
}
