/** The columns of the answer to each question, whichever engine answers. */

import type {
  Dimension,
  Filter,
  Pivoted,
  Question,
  Rows,
  RowsColumn,
  Snapshot,
} from "./store.ts";

/** The columns of an answer. */
export type AnswerColumns = Pick<Rows, "columns" | "pivoted">;

/** The names that a snapshot knows. */
export type Names = Pick<
  Snapshot,
  "channels" | "topics" | "types" | "occupations"
>;

/** Dimensions by which an answer may have a column a value. */
export type PivotDimension = "channel" | "topic" | "type" | "weekday";

const NUMBERS: ReadonlySet<string> = new Set(["customer_id", "weekday"]);

/** The columns that the answer to `question` has. */
export function columnsOf(question: Question, names: Names): AnswerColumns {
  switch (question.kind) {
    case "metrics": {
      const { by, pivot, compared_with, filter } = question;
      const compared: RowsColumn[] = compared_with
        ? [integer("previous"), { name: "change", type: "number" }]
        : [];
      const before = by.map(dimension);
      return pivot
        ? pivoted(
          before,
          pivot,
          pivotedValues(pivot, filter, names).map(String),
          [integer("total"), ...compared],
        )
        : { columns: [...before, integer("interactions"), ...compared] };
    }
    case "interactions":
      return byChannel(
        [integer("customer_id"), text("occupation"), text("type")],
        question.filter,
        names,
      );
    case "timeline":
      return byChannel([text("period")], question.filter, names);
    case "topics":
      return byChannel([text("topic")], question.filter, names);
    case "customers":
      return byChannel(
        [
          integer("customer_id"),
          text("occupation"),
          text("type"),
          text("known_from"),
          text("first_contact"),
          text("last_contact"),
        ],
        {},
        names,
      );
    case "customer_count":
      return {
        columns: [...question.by.map(text), integer("customers")],
      };
  }
}

/**
 * The values that a dimension is pivoted into: the known ones in order, then null
 * for none, or those of them that the filter asks for.
 */
export function pivotedValues(
  pivot: PivotDimension,
  filter: Filter,
  names: Names,
): (string | number | null)[] {
  switch (pivot) {
    case "channel":
      return chosen(names.channels, filter.channels);
    case "topic":
      return chosen([...names.topics, null], filter.topics);
    case "type":
      return chosen([...names.types, null], filter.types);
    case "weekday":
      return [1, 2, 3, 4, 5, 6, 7];
  }
}

function chosen<Value>(
  known: readonly Value[],
  asked: readonly Value[] | undefined,
): Value[] {
  return asked ? known.filter((value) => asked.includes(value)) : [...known];
}

function byChannel(
  before: readonly RowsColumn[],
  filter: Filter,
  names: Names,
): AnswerColumns {
  const channels = chosen(names.channels, filter.channels);
  return pivoted(before, "channel", channels, [integer("total")]);
}

function pivoted(
  before: readonly RowsColumn[],
  dimension: PivotDimension,
  names: readonly string[],
  after: readonly RowsColumn[],
): AnswerColumns & { readonly pivoted: Pivoted } {
  const others = [...before, ...after].map(({ name }) => name);
  return {
    columns: [
      ...before,
      ...flatNames(dimension, names, others).map(integer),
      ...after,
    ],
    pivoted: { start: before.length, names },
  };
}

/** The names as columns beside `others`; those that would collide have a prefix. */
function flatNames(
  dimension: PivotDimension,
  names: readonly string[],
  others: readonly string[],
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

function dimension(name: Dimension): RowsColumn {
  return NUMBERS.has(name) ? integer(name) : text(name);
}

function integer(name: string): RowsColumn {
  return { name, type: "integer" };
}

function text(name: string): RowsColumn {
  return { name, type: "text" };
}
