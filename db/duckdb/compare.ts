/** Counts the differences between two snapshots, with pauses in which requests are served. */

import type { Pace } from "../pace.ts";
import { reportedChanges } from "../model/changes.ts";
import type { Changes, Loaded, TableChange } from "../model/report.ts";
import {
  attributesOf,
  dimensionsWith,
  isAttribute,
  recordOf,
} from "../model/dimensions.ts";
import type { CustomersShape } from "../model/customer_ids.ts";
import type { ComposedSql, Database } from "./database.ts";
import type { IndexColumns } from "../serving/serving_index.ts";
import type { Customers } from "../store.ts";

/** The parts of a snapshot that are compared. */
export interface Comparable {
  readonly database: Database;
  readonly loaded: Loaded;
  readonly columns: IndexColumns;
  readonly customers: Customers;
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
  // Where both have none, no row needs to be read for them.
  const anonymous = hasAnonymous(before) || hasAnonymous(after)
    ? await compareRows(previous, next, {
      queries: ["queries/anonymous_hashes", "queries/anonymous_hashes"],
      pace,
    })
    : NO_CHANGE;
  return {
    ...reportedChanges(before, after),
    tables: {
      customers: await compareRows(previous, next, {
        queries: [
          customerHashes(shapeOf(previous), shapeOf(next)),
          customerHashes(shapeOf(next), shapeOf(previous)),
        ],
        pace,
      }),
      interactions: {
        rows_added: customers.interactions.rows_added + anonymous.rows_added,
        rows_gone: customers.interactions.rows_gone + anonymous.rows_gone,
      },
      products: await compareRows(previous, next, {
        queries: ["queries/product_hashes", "queries/product_hashes"],
        pace,
      }),
    },
    new_customers: customers.new_customers,
    vanished_customers: customers.vanished_customers,
  };
}

const NO_CHANGE: TableChange = { rows_added: 0, rows_gone: 0 };

/** Whether a version has interactions of nobody who is known, which no index holds. */
function hasAnonymous({ report }: Loaded): boolean {
  return (report.mapping?.anonymous_interactions ?? 0) > 0;
}

async function compareRows(
  previous: Comparable,
  next: Comparable,
  { queries: [query_before, query_after], pace }: {
    /** A number for each row, ascending, equal for equal rows. */
    readonly queries: readonly [
      before: string | ComposedSql,
      after: string | ComposedSql,
    ];
    readonly pace: Pace;
  },
): Promise<TableChange> {
  // One after the other, since each uses all threads of its database to sort.
  const left = await readHashes(previous.database, query_before);
  const right = await readHashes(next.database, query_after);
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
  query: string | ComposedSql,
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

/** What records say, and how customers are called. */
interface RecordShape extends CustomersShape {
  readonly attributes: readonly string[];
}

function shapeOf(
  { customers: { ids, names }, loaded }: Comparable,
): RecordShape {
  return { ids, names, attributes: attributesOf(loaded.report) };
}

/** A number for each customer record, as another snapshot numbers it that has other columns. */
function customerHashes(
  { ids, names, attributes }: RecordShape,
  other: RecordShape,
): ComposedSql {
  const id = ids === "text"
    ? "id"
    : other.ids === "text"
    ? "customer_id::varchar"
    : "customer_id";
  const name = names ? ["name"] : other.names ? ["null::varchar"] : [];
  const all = new Set([...attributes, ...other.attributes]);
  const record = recordOf(dimensionsWith([...all].sort())).map((one) =>
    isAttribute(one) && !attributes.includes(one.name)
      ? "null::varchar"
      : one.column
  );
  const columns = [id, ...name, ...record].join(", ");
  return {
    sql: `select (hash(${columns}) >> 11)::double as row_hash
from customers${ids === "text" ? " join ids using (customer_id)" : ""}
order by row_hash`,
  };
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
  let [new_customers, vanished_customers] = [0, 0];
  let [rows_added, rows_gone] = [0, 0];
  let compared = 0;
  for (const [i, j] of matchedPlaces(previous, next)) {
    const added = i < 0;
    const gone = j < 0;
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
    // Without channels, there is nothing else to count.
    if (++compared > SLICE) {
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

/** The places of each customer before and after, -1 where there is none. */
function matchedPlaces(
  previous: Comparable,
  next: Comparable,
): Iterable<readonly [before: number, after: number]> {
  const ids_before = previous.columns.customer_ids;
  const ids_after = next.columns.customer_ids;
  return ids_before && ids_after
    ? matchedNumbers(ids_before, ids_after)
    : matchedTexts(previous, next);
}

function* matchedNumbers(
  before: Float64Array,
  after: Float64Array,
): Generator<[number, number]> {
  for (let i = 0, j = 0; i < before.length || j < after.length;) {
    if (j >= after.length || before[i] < after[j]) yield [i++, -1];
    else if (i >= before.length || after[j] < before[i]) yield [-1, j++];
    else yield [i++, j++];
  }
}

// One new customer moves the numbers of all that follow, so the ids are compared.
function* matchedTexts(
  previous: Comparable,
  next: Comparable,
): Generator<[number, number]> {
  // A text is found in one step, a number is not.
  const is_text = next.customers.ids === "text";
  const [asked, found] = is_text ? [previous, next] : [next, previous];
  const pair = (one: number, other: number): [number, number] =>
    is_text ? [one, other] : [other, one];
  const matched = new Uint8Array(found.columns.kinds.length);
  const { kinds, customer_ids } = asked.columns;
  for (let i = 0; i < kinds.length; i++) {
    const id = asked.customers.idOf(customer_ids ? customer_ids[i] : i + 1);
    const place = Math.max(found.customers.numberOf(id) - 1, -1);
    if (place >= 0) matched[place] = 1;
    yield pair(i, place);
  }
  for (let place = 0; place < matched.length; place++) {
    if (!matched[place]) yield pair(-1, place);
  }
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
