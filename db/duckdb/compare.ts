/** Counts the differences between two snapshots, with pauses in which requests are served. */

import type { Pace } from "../pace.ts";
import type { Changes, TableChange } from "../model/report.ts";
import type { Database } from "./database.ts";
import type { Loaded } from "../model/report.ts";
import type { IndexColumns } from "../serving/serving_index.ts";

/** The parts of a snapshot that are compared. */
export interface Comparable {
  readonly database: Database;
  readonly loaded: Loaded;
  readonly columns: IndexColumns;
}

/** The number of rows or groups that are compared between two pauses: 1 ms. */
const SLICE = 65_536;

/**
 * The differences between two snapshots: what is new and what is gone. Interactions
 * are equal when customer, channel and day are. `pace` is awaited now and then.
 */
export async function compareSnapshots(
  previous: Comparable,
  next: Comparable,
  { pace }: { readonly pace: Pace },
): Promise<Changes> {
  const [before, after] = [previous.loaded, next.loaded];
  const customers = await compareIndexes(previous, next, { pace });
  const [new_channels, vanished_channels] = compareNames(
    before.channels,
    after.channels,
  );
  const [new_types, vanished_types] = compareNames(
    before.report.types,
    after.report.types,
  );
  const [new_topics, vanished_topics] = compareNames(
    before.topics,
    after.topics,
  );
  return {
    previous_data_version: before.report.data_version,
    tables: {
      customers: await compareRows(previous, next, {
        query: "queries/customer_hashes",
        pace,
      }),
      interactions: customers.interactions,
      products: await compareRows(previous, next, {
        query: "queries/product_hashes",
        pace,
      }),
    },
    new_customers: customers.new_customers,
    vanished_customers: customers.vanished_customers,
    new_channels,
    vanished_channels,
    new_types,
    vanished_types,
    new_topics,
    vanished_topics,
    date_range: after.report.date_range,
    previous_date_range: before.report.date_range,
  };
}

function compareNames(
  before: readonly string[],
  after: readonly string[],
): [added: string[], gone: string[]] {
  return [
    after.filter((name) => !before.includes(name)),
    before.filter((name) => !after.includes(name)),
  ];
}

async function compareRows(
  previous: Comparable,
  next: Comparable,
  { query, pace }: { readonly query: string; readonly pace: Pace },
): Promise<TableChange> {
  // One after the other, since each uses all threads of its database to sort.
  const left = await readHashes(previous.database, query);
  const right = await readHashes(next.database, query);
  let [rows_added, rows_gone] = [0, 0];
  for (let i = 0, j = 0, step = 0; i < left.length || j < right.length;) {
    if (j >= right.length || left[i] < right[j]) {
      rows_gone++;
      i++;
    } else if (i >= left.length || right[j] < left[i]) {
      rows_added++;
      j++;
    } else {
      i++;
      j++;
    }
    if (++step % SLICE === 0) await pace();
  }
  return { rows_added, rows_gone };
}

async function readHashes(
  database: Database,
  query: string,
): Promise<Float64Array> {
  const batches: Float64Array[] = [];
  for await (const [hashes] of database.streamNumbers(query)) {
    // A copy: the batch is DuckDB's memory, which the next one takes.
    batches.push(Float64Array.from(hashes));
  }
  const whole = new Float64Array(
    batches.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const batch of batches) {
    whole.set(batch, at);
    at += batch.length;
  }
  return whole;
}

async function compareIndexes(
  previous: Comparable,
  next: Comparable,
  { pace }: { readonly pace: Pace },
): Promise<{
  new_customers: number;
  vanished_customers: number;
  interactions: TableChange;
}> {
  const [before, after] = [previous.columns, next.columns];
  const [channels_before, channels_after] = [
    previous.loaded.channels,
    next.loaded.channels,
  ];
  const names = [...new Set([...channels_before, ...channels_after])];
  const pairs = names.map((name): [number, number] => [
    channels_before.indexOf(name),
    channels_after.indexOf(name),
  ]);
  const [ids_before, ids_after] = [before.customer_ids, after.customer_ids];
  let [new_customers, vanished_customers] = [0, 0];
  let [rows_added, rows_gone] = [0, 0];
  let [i, j, compared] = [0, 0, 0];
  while (i < ids_before.length || j < ids_after.length) {
    const gone = j >= ids_after.length || ids_before[i] < ids_after[j];
    const added = i >= ids_before.length || ids_after[j] < ids_before[i];
    if (gone) vanished_customers++;
    if (added) new_customers++;
    for (const [channel_before, channel_after] of pairs) {
      const left = added ? NO_SLICE : sliceOf(before, i, channel_before);
      const right = gone ? NO_SLICE : sliceOf(after, j, channel_after);
      const common = commonDays(before.days, left, after.days, right);
      rows_gone += left.end - left.start - common;
      rows_added += right.end - right.start - common;
      compared += 1 + left.end - left.start + right.end - right.start;
    }
    if (!added) i++;
    if (!gone) j++;
    if (compared > SLICE) {
      compared = 0;
      await pace();
    }
  }
  return {
    new_customers,
    vanished_customers,
    interactions: { rows_added, rows_gone },
  };
}

interface Slice {
  readonly start: number;
  readonly end: number;
}

const NO_SLICE: Slice = { start: 0, end: 0 };

function sliceOf(
  { offsets, channel_count }: IndexColumns,
  customer: number,
  channel: number,
): Slice {
  if (channel < 0) return NO_SLICE;
  const slice = customer * channel_count + channel;
  return { start: offsets[slice], end: offsets[slice + 1] };
}

/** How many days two ascending slices have in common, each as often as both have it. */
function commonDays(
  days_before: Uint16Array,
  before: Slice,
  days_after: Uint16Array,
  after: Slice,
): number {
  let common = 0;
  let [i, j] = [before.start, after.start];
  while (i < before.end && j < after.end) {
    const [left, right] = [days_before[i], days_after[j]];
    if (left === right) common++;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return common;
}
