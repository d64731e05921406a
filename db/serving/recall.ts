/** Answers questions about customers that they name from the serving index, at once and without a query. */

import {
  type Dimension,
  type NamedDimension,
  type Names,
  recordOf,
} from "../model/dimensions.ts";
import type {
  Cell,
  CustomersQuestion,
  Filter,
  InteractionsQuestion,
  MetricsQuestion,
  Question,
  TimelineQuestion,
  TopicsQuestion,
} from "../model/questions.ts";
import { type CustomerKinds, kindFilter } from "./customer_kinds.ts";
import { dayNumber, LAST_DAY } from "./day_number.ts";
import { dateOfDay, periodsOf } from "./periods.ts";
import type { Customers } from "../store.ts";
import {
  type IndexFilter,
  NO_RECORD,
  type ServingIndex,
} from "./serving_index.ts";
import type { TextColumn } from "./text_column.ts";

/** What is in memory. */
export interface Memory {
  readonly index: ServingIndex;
  readonly dimensions: readonly NamedDimension[];
  readonly names: Names;
  readonly customers: Customers;
  /** By place, the names of customers, the empty text for none; null where none has one. */
  readonly customer_names: TextColumn | null;
  readonly kinds: CustomerKinds;
  /** The position of a name among the known ones. */
  positionOf(dimension: Dimension, name: string): number | undefined;
}

/** Cells of an answer, and interactions that are read for it, at most: both took 9 to 22 ms. */
const MOST_CELLS = 20_000;
const MOST_VISITED = 100_000;

/** The last day of a timeline: 2078-12-31. */
const LAST_TIMELINE_DAY = dayNumber("2078-12-31");

/**
 * The rows that answer `question`, as the query answers it; null where it takes a
 * query, or work for more than a moment.
 */
export function recall(memory: Memory, question: Question): Cell[][] | null {
  switch (question.kind) {
    case "timeline":
      return recallTimeline(memory, question);
    case "topics":
      return recallTopics(memory, question);
    case "interactions":
      return recallInteractions(memory, question);
    case "customers":
      return recallCustomers(memory, question);
    case "metrics":
      return recallTotals(memory, question);
    case "reached":
      return null;
    case "customer_count": {
      if (question.by.length > 0 || question.without_record) return null;
      const chosen = chosenOf(memory, question.filter);
      return chosen && [[chosen.length]];
    }
  }
}

function recallTimeline(
  memory: Memory,
  { customer_id, interval, filter, limit = Infinity }: TimelineQuestion,
): Cell[][] | null {
  const { index } = memory;
  const place = index.placeOf(customer_id);
  if (place < 0) return [];
  if (index.sizeOf(place) > MOST_VISITED) return null;
  const { column_of, width } = countColumns(memory, filter);
  const counted = { ...indexFilterOf(memory, filter), column_of };
  const span = index.spanOf(place, counted);
  const first = filter.start_date
    ? Math.max(counted.first_day, 0)
    : span?.first_day ?? Infinity;
  const last = filter.end_date
    ? Math.min(counted.last_day, LAST_TIMELINE_DAY)
    : span?.last_day ?? -Infinity;
  if (first > LAST_DAY || last < 0) return [];

  const { of_day, textOf } = periodsOf(interval);
  const start = of_day[first];
  const length = Math.min(of_day[last] + 1 - start, limit);
  if (length * (width + 2) > MOST_CELLS) return null;
  const zeros: Cell[] = Array(width + 2).fill(0);
  const rows: Cell[][] = [];
  for (let i = 0; i < length; i++) {
    const row = zeros.slice();
    row[0] = textOf(start + i);
    rows.push(row);
  }
  index.visit(place, {
    filter: counted,
    visitor(column, interaction) {
      const at = of_day[index.dayOf(interaction)] - start;
      if (at < length) add(rows[at], column);
    },
  });
  return rows;
}

function recallTopics(
  memory: Memory,
  { customer_id, filter }: TopicsQuestion,
): Cell[][] | null {
  const { index, names } = memory;
  const place = index.placeOf(customer_id);
  if (place < 0) return [];
  if (index.sizeOf(place) > MOST_VISITED) return null;
  const { column_of, width } = countColumns(memory, filter);
  const counted = { ...indexFilterOf(memory, filter), column_of };
  const topics = [...names.topic, null];
  if (topics.length * (width + 2) > MOST_CELLS) return null;
  const zeros: Cell[] = Array(width + 2).fill(0);
  const rows: (Cell[] | undefined)[] = topics.map(() => undefined);
  index.visit(place, {
    filter: counted,
    visitor(column, interaction) {
      for (const code of index.topicsOf(interaction)) {
        add(rows[code] ??= zeros.with(0, topics[code]), column);
      }
    },
  });
  const asked = filter.topics && new Set(filter.topics);
  return rows.filter((row) =>
    row !== undefined && (!asked || asked.has(row[0] as string | null))
  ) as Cell[][];
}

function recallInteractions(
  memory: Memory,
  { filter, sort, after, limit }: InteractionsQuestion,
): Cell[][] | null {
  const customers = countedOf(memory, filter);
  if (!customers) return null;
  return pageOf(memory, { customers, filter, sort, after, limit })
    .map(rowOf(memory, filter));
}

/** Returns a function that makes the row of a customer by all channels of the filter. */
export function rowOf(
  memory: Memory,
  filter: Filter,
): (customer: CountedCustomer) => Cell[] {
  const { index, kinds } = memory;
  const record = recordOf(memory.dimensions);
  const columns = record.map(({ name }) => kinds.columns[name]);
  // A copy has its length at once: a list that grows takes half as long again.
  const called = memory.customer_names ? 2 : 1;
  const { width } = countColumns(memory, filter);
  const blank: Cell[] = Array(called + columns.length + width + 1).fill(null);
  return (customer) => {
    const { place, counts, total } = customer;
    const kind = index.kindOf(place);
    const row = blank.slice();
    let at = 0;
    for (const cell of calledOf(memory, customer)) row[at++] = cell;
    for (const column of columns) row[at++] = column.nameAt(kind);
    for (const count of counts) row[at++] = count;
    row[at] = total;
    return row;
  };
}

/** The customers of a page in its order, of those that come by customer_id. */
function pageOf(
  memory: Memory,
  { customers, filter, sort, after, limit }:
    & Omit<InteractionsQuestion, "kind">
    & { readonly customers: readonly CountedCustomer[] },
): readonly CountedCustomer[] {
  if (sort.by === "customer_id" && !sort.descending && !after) {
    return customers.slice(0, limit);
  }
  const direction = sort.descending ? -1 : 1;
  const valueOf = valueToSort(memory, { filter, sort });
  const placed = customers.map((customer) => ({
    value: direction * valueOf(customer),
    place: customer.place,
    customer,
  })).sort(inOrder);
  const last = after && positionOf(memory.index, { after, direction });
  const start = last ? placed.findIndex((one) => inOrder(one, last) > 0) : 0;
  if (start < 0) return [];
  return placed.slice(start, limit && start + limit)
    .map(({ customer }) => customer);
}

/** The cells of a customer's id, and of the name where there are names. */
function calledOf(
  { customers, customer_names }: Memory,
  { customer_id, place }: ChosenCustomer,
): Cell[] {
  const id = customers.idOf(customer_id);
  return customer_names ? [id, customer_names.textAt(place) || null] : [id];
}

/** Where a customer stands in a sorted list; places ascend with ids, which ties are sorted by. */
export interface Position {
  /** What is sorted by, negative where the list descends. */
  readonly value: number;
  readonly place: number;
}

/** Compares two positions. */
export function inOrder(a: Position, b: Position): number {
  return a.value - b.value || a.place - b.place;
}

/** The position after which a page begins. */
export function positionOf(
  index: ServingIndex,
  { after, direction }: {
    readonly after: NonNullable<InteractionsQuestion["after"]>;
    readonly direction: number;
  },
): Position {
  return {
    value: direction * after.value,
    place: index.firstFrom(after.customer_id + 1) - 1,
  };
}

function valueToSort(
  memory: Memory,
  { filter, sort: { by } }: Pick<InteractionsQuestion, "filter" | "sort">,
): (customer: CountedCustomer) => number {
  if (by === "customer_id") return ({ customer_id }) => customer_id;
  if (by === "total") return ({ total }) => total;
  const { column_of } = countColumns(memory, filter);
  const column = column_of[memory.positionOf("channel", by.channel)!];
  return ({ counts }) => counts[column];
}

function recallCustomers(
  memory: Memory,
  { filter, prefix, after_customer_id = 0, limit }: CustomersQuestion,
): Cell[][] | null {
  const customers = prefix === undefined ? countedOf(memory, filter) : null;
  if (!customers) return null;
  const { index, kinds } = memory;
  const record = recordOf(memory.dimensions);
  return customers
    .filter(({ customer_id }) => customer_id > after_customer_id)
    .slice(0, limit)
    .map((customer) => {
      const { place, counts, total } = customer;
      const kind = index.kindOf(place);
      const contact = index.spanOf(place);
      return [
        ...calledOf(memory, customer),
        ...record.map(({ name }) => kinds.columns[name].nameAt(kind)),
        kind === NO_RECORD ? "interactions" : "customers",
        contact && dateOfDay(contact.first_day),
        contact && dateOfDay(contact.last_day),
        ...counts,
        total,
      ];
    });
}

function recallTotals(
  memory: Memory,
  { by, pivot, compared_with, filter }: MetricsQuestion,
): Cell[][] | null {
  const is_total = by.length === 0 && !compared_with;
  if (!is_total || (pivot && pivot !== "channel")) return null;
  const customers = countedOf(memory, filter);
  if (!customers) return null;
  const { width } = countColumns(memory, filter);
  const totals: number[] = Array(width + 1).fill(0);
  for (const { counts, total } of customers) {
    counts.forEach((count, column) => totals[column] += count);
    totals[width] += total;
  }
  return [pivot ? totals : totals.slice(width)];
}

/** A customer that a filter chooses. */
interface ChosenCustomer {
  readonly customer_id: number;
  readonly place: number;
}

/** The interactions that count, per channel of the filter. */
interface CountedCustomer extends ChosenCustomer {
  readonly counts: readonly number[];
  readonly total: number;
}

/** The customers that a filter names and chooses, by customer_id; null when it names none. */
function chosenOf(
  memory: Memory,
  filter: Filter,
): ChosenCustomer[] | null {
  const { customer_ids } = filter;
  if (!customer_ids) return null;
  const { index } = memory;
  const isChosen = kindFilter(memory, filter);
  const chosen: ChosenCustomer[] = [];
  for (const customer_id of customer_ids) {
    const place = index.placeOf(customer_id);
    if (place < 0) continue;
    if (!isChosen(index.kindOf(place))) continue;
    chosen.push({ customer_id, place });
  }
  return chosen;
}

/** The same with their counts; null also when that is too much work. */
function countedOf(memory: Memory, filter: Filter): CountedCustomer[] | null {
  const chosen = chosenOf(memory, filter);
  if (!chosen) return null;
  const { index, names } = memory;
  if (chosen.length * names.channel.length > MOST_CELLS) return null;
  if (filter.topics) {
    let visited = 0;
    for (const { place } of chosen) visited += index.sizeOf(place);
    if (visited > MOST_VISITED) return null;
  }
  return chosen.map(countOf(memory, filter));
}

/** Returns a function that counts the interactions of a customer. */
export function countOf(
  memory: Memory,
  filter: Filter,
): (customer: ChosenCustomer) => CountedCustomer {
  const { index } = memory;
  const counted = indexFilterOf(memory, filter);
  const { column_of, width } = countColumns(memory, filter);
  return ({ customer_id, place }) => {
    const all = index.count(place, counted);
    const counts = width === all.length
      ? all
      : all.filter((_, channel) => column_of[channel] >= 0);
    let total = 0;
    for (const count of counts) total += count;
    return { customer_id, place, counts, total };
  };
}

/** By channel: its position among the columns of counts, -1 where it has none; and their number. */
export function countColumns(
  { names }: Pick<Memory, "names">,
  { channels }: Filter,
): { column_of: readonly number[]; width: number } {
  let width = 0;
  const asked = channels && new Set(channels);
  const column_of = names.channel.map((name) =>
    !asked || asked.has(name) ? width++ : -1
  );
  return { column_of, width };
}

/** The interactions that a filter counts, as the index has them. */
export function indexFilterOf(
  { index, names, positionOf }: Pick<
    Memory,
    "index" | "names" | "positionOf"
  >,
  { start_date, end_date, topics }: Pick<
    Filter,
    "start_date" | "end_date" | "topics"
  >,
): IndexFilter {
  return {
    first_day: start_date ? dayNumber(start_date) : 0,
    last_day: end_date ? dayNumber(end_date) : LAST_DAY,
    members: topics &&
      index.membersOf(
        topics.map((topic) =>
          topic === null ? names.topic.length : positionOf("topic", topic)!
        ),
      ),
  };
}

/** Counts an interaction in a row that begins with a name, and in its total. */
function add(row: Cell[], column: number): void {
  (row[column + 1] as number)++;
  (row[row.length - 1] as number)++;
}
