/** The questions that a snapshot answers, and the columns of their answers, the same for every engine. */

import type { CustomersShape } from "./customer_ids.ts";
import {
  type Dimension,
  type Interval,
  type NamedDimension,
  type Names,
  type NamesFilter,
  namesIn,
  recordOf,
} from "./dimensions.ts";

/** Interactions per channel. */
export type ChannelCounts = ArrayLike<number>;

/** Which interactions of which customer to count. */
export interface CustomerQuestion
  extends Pick<NamesFilter, "start_date" | "end_date" | "topics"> {
  /** Its number, as `Customers` has it. */
  readonly customer_id: number;
}

/**
 * Which interactions count, or which customers: those that meet every filter. The
 * names are spelt as the snapshot knows them.
 */
export interface Filter extends NamesFilter {
  readonly customer_ids?: readonly number[];
}

/** A question whose answer is rows. */
export type Question =
  | MetricsQuestion
  | ReachedQuestion
  | InteractionsQuestion
  | TimelineQuestion
  | TopicsQuestion
  | CustomersQuestion
  | CustomerCountQuestion;

/**
 * The number of interactions. Columns: those of `by`; then `interactions`, or with
 * a pivot one column per value and `total`, which counts an interaction once; with
 * `compared_with` also `previous` and `change`, a share of `previous` or null. The
 * answer has the groups that occur, in order; without `by` it has one row, always.
 */
export interface MetricsQuestion {
  readonly kind: "metrics";
  readonly by: readonly Dimension[];
  readonly pivot?: Dimension;
  readonly filter: Filter;
  /** The period of `previous`; `filter` has both dates then. */
  readonly compared_with?: {
    readonly start_date: string;
    readonly end_date: string;
  };
  /** Whether interactions of nobody who is known are left out. */
  readonly of_known_customers?: boolean;
  /** The largest number of rows. */
  readonly limit?: number;
}

/**
 * The number of known customers with at least one interaction that counts, each once
 * in a group. Columns: those of `by`; then `customers`, and with `compared_with` also
 * `previous` and `change`. Groups as for interactions.
 */
export interface ReachedQuestion
  extends Pick<MetricsQuestion, "compared_with" | "limit"> {
  readonly kind: "reached";
  /** Not by customer: each number would be 1. */
  readonly by: readonly Dimension[];
  readonly filter: NamesFilter;
}

/**
 * Every customer by every channel. Columns: customer_id, name where there are names,
 * the dimensions of customers, the channels of the filter, total. Those dimensions and
 * customer_ids choose the customers, the other filters choose the interactions that
 * are counted.
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

/** The value by which customers are sorted. */
export type InteractionsSort =
  | "customer_id"
  | "total"
  | { readonly channel: string };

/**
 * One customer's interactions per period. Columns: period, the channels of the
 * filter, total. The periods run from the start date, or else the first interaction,
 * to the end date, or else the last interaction, within 1900-01-01 to 2078-12-31;
 * a period without interactions has zeros.
 */
export interface TimelineQuestion {
  readonly kind: "timeline";
  readonly customer_id: number;
  readonly interval: Interval;
  readonly filter: Filter;
  readonly limit?: number;
}

/** One customer's interactions per topic. Columns: topic, the channels of the filter, total. */
export interface TopicsQuestion {
  readonly kind: "topics";
  readonly customer_id: number;
  readonly filter: Filter;
}

/**
 * The known customers by customer_id. Columns: customer_id, name where there are
 * names, the dimensions of customers, known_from (`customers` with a record, else
 * `interactions`), first_contact and last_contact (`YYYY-MM-DD`), every channel, total.
 */
export interface CustomersQuestion {
  readonly kind: "customers";
  readonly filter: Filter;
  /** The beginning of the id, of the occupation or of a word of the name, in upper or lower case. */
  readonly prefix?: string;
  readonly after_customer_id?: number;
  readonly limit?: number;
}

/**
 * The number of known customers. Columns: `by`, customers. The answer has the groups
 * that occur, in order; without `by` it has one row, always.
 */
export interface CustomerCountQuestion {
  readonly kind: "customer_count";
  readonly by: readonly Dimension[];
  /** Counts only the customers known from interactions alone. */
  readonly without_record?: boolean;
  readonly filter: Filter;
}

/** SQL that answers a question. */
export interface Statement {
  /** The file in sql/ without its ending; `metrics` is composed by the code. */
  readonly name: string;
  readonly text: string;
}

/** A cell of an answer: text, a number, or no value. */
export type Cell = string | number | null;

/** A column of an answer. */
export interface RowsColumn {
  readonly name: string;
  /** The cells of a `date` are texts, YYYY-MM-DD. */
  readonly type: "text" | "integer" | "number" | "date";
}

/** An answer of rows, read once from first to last. */
export interface Rows {
  /** Their names differ, even ignoring case. */
  readonly columns: readonly RowsColumn[];
  /** The columns that JSON puts into one object, `interactions`. */
  readonly pivoted?: Pivoted;
  /** Batches of rows; a row has one cell per column. */
  readonly batches: AsyncIterable<readonly (readonly Cell[])[]>;
  /** The number of rows, counted by another query. */
  count(): Promise<number>;
  /**
   * Awaited between two pieces of work on the rows, each of a few milliseconds at
   * most, so that other requests are answered. Throws the reason of the signal when
   * the question was aborted.
   */
  pause(): Promise<void>;
}

/** Columns of counts that stand side by side, one for each value of a dimension. */
export interface Pivoted {
  /** Position of the first one among the columns. */
  readonly start: number;
  /** The values in the order of the columns; `null` is the one without a name. */
  readonly names: readonly string[];
}

/** The columns of an answer. */
export type AnswerColumns = Pick<Rows, "columns" | "pivoted">;

const NUMBERS: ReadonlySet<string> = new Set(["weekday"]);

/** What the columns of answers depend on, beside the question. */
export interface AnswerShape {
  readonly dimensions: readonly NamedDimension[];
  readonly names: Names;
  readonly customers: CustomersShape;
}

/** The columns that the answer to `question` has. */
export function columnsOf(
  question: Question,
  { dimensions, names, customers }: AnswerShape,
): AnswerColumns {
  const record = recordOf(dimensions).map(({ name }) => text(name));
  switch (question.kind) {
    case "metrics": {
      const { by, pivot, filter } = question;
      const before = by.map((name) => dimension(name, customers));
      const compared = comparedColumns(question);
      return pivot
        ? pivoted(pivot, {
          before,
          names: pivotedValues(pivot, { filter, names, dimensions }).map(
            String,
          ),
          after: [integer("total"), ...compared],
        })
        : { columns: [...before, integer("interactions"), ...compared] };
    }
    case "reached":
      return {
        columns: [
          ...question.by.map((name) => dimension(name, customers)),
          integer("customers"),
          ...comparedColumns(question),
        ],
      };
    case "interactions":
      return byChannel([
        ...customerColumns(customers),
        ...record,
      ], { filter: question.filter, names });
    case "timeline":
      return byChannel([text("period")], { filter: question.filter, names });
    case "topics":
      return byChannel([text("topic")], { filter: question.filter, names });
    case "customers":
      return byChannel([
        ...customerColumns(customers),
        ...record,
        text("known_from"),
        date("first_contact"),
        date("last_contact"),
      ], { filter: {}, names });
    case "customer_count":
      return {
        columns: [...question.by.map(text), integer("customers")],
      };
  }
}

/**
 * The values of a pivoted dimension: the known names in order, then null for no
 * name; with a filter, only those that it names.
 */
export function pivotedValues(
  pivot: Dimension,
  { filter, names, dimensions }:
    & { readonly filter: Filter }
    & Pick<AnswerShape, "names" | "dimensions">,
): (string | number | null)[] {
  const named = dimensions.find(({ name }) => name === pivot);
  if (!named) return [1, 2, 3, 4, 5, 6, 7];
  const known = names[pivot] ?? [];
  return chosen<string | null>(
    named.has_none ? [...known, null] : known,
    namesIn(filter, named),
  );
}

function chosen<Value>(
  known: readonly Value[],
  asked: readonly Value[] | undefined,
): Value[] {
  if (!asked) return [...known];
  const are_asked = new Set(asked);
  return known.filter((value) => are_asked.has(value));
}

function comparedColumns(
  { compared_with }: Pick<MetricsQuestion, "compared_with">,
): RowsColumn[] {
  return compared_with
    ? [integer("previous"), { name: "change", type: "number" }]
    : [];
}

function byChannel(
  before: readonly RowsColumn[],
  { filter, names }: { readonly filter: Filter; readonly names: Names },
): AnswerColumns {
  const channels = chosen(names.channel, filter.channels);
  return pivoted("channel", {
    before,
    names: channels,
    after: [integer("total")],
  });
}

function pivoted(
  dimension: Dimension,
  { before, names, after }: {
    readonly before: readonly RowsColumn[];
    readonly names: readonly string[];
    readonly after: readonly RowsColumn[];
  },
): AnswerColumns & { readonly pivoted: Pivoted } {
  const others = [...before, ...after].map(({ name }) => name);
  return {
    columns: [
      ...before,
      ...flatNames(dimension, { names, others }).map(integer),
      ...after,
    ],
    pivoted: { start: before.length, names },
  };
}

/** The names as columns beside `others`; those that would collide have a prefix. */
function flatNames(
  dimension: Dimension,
  { names, others }: {
    readonly names: readonly string[];
    readonly others: readonly string[];
  },
): string[] {
  const key = (name: string) => name.toLowerCase();
  const reserved = new Set(others.map(key));
  const taken = new Set([...reserved, ...names.map(key)]);
  return names.map((name) => {
    if (!reserved.has(key(name))) return name;
    let free = `${dimension}_${name}`;
    while (taken.has(key(free))) free = `${dimension}_${free}`;
    taken.add(key(free));
    return free;
  });
}

function dimension(name: Dimension, customers: CustomersShape): RowsColumn {
  if (name === "customer_id") return customerColumn(customers);
  if (name === "day") return date(name);
  return NUMBERS.has(name) ? integer(name) : text(name);
}

function customerColumn({ ids }: CustomersShape): RowsColumn {
  return ids === "integer" ? integer("customer_id") : text("customer_id");
}

function customerColumns(customers: CustomersShape): RowsColumn[] {
  return [customerColumn(customers), ...customers.names ? [text("name")] : []];
}

/** The change as a share of `previous`, with four digits: halves are rounded away from 0; null where `previous` is 0. */
export function changeOf(count: number, previous: number): number | null {
  if (previous === 0) return null;
  const change = (count - previous) / previous;
  return Math.sign(change) * Math.round(Math.abs(change) * 1e4) / 1e4;
}

function integer(name: string): RowsColumn {
  return { name, type: "integer" };
}

function date(name: string): RowsColumn {
  return { name, type: "date" };
}

function text(name: string): RowsColumn {
  return { name, type: "text" };
}
