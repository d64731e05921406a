/** Composes the statements of the questions `metrics` and `reached`, from fixed fragments; values are its params. */

import type { CustomersShape } from "../model/customer_ids.ts";
import {
  type Dimension,
  type NamedDimension,
  namesIn,
  ofCustomers,
  ROLLUPS,
  type TimeDimension,
} from "../model/dimensions.ts";
import type {
  Filter,
  MetricsQuestion,
  ReachedQuestion,
} from "../model/questions.ts";
import { paramOf, shownColumn } from "./record_sql.ts";

/** A question whose statement is composed. */
type Counting = MetricsQuestion | ReachedQuestion;

/** How a dimension is grouped by, and how its groups are shown. */
interface Expression {
  readonly key: string;
  /** Of the key; the key itself when absent. */
  readonly shown?: string;
}

/** Those of interactions; customers have theirs in columns. */
const EXPRESSIONS: Readonly<
  Record<"channel" | "topic" | "customer_id" | TimeDimension, Expression>
> = {
  channel: { key: "channel", shown: "channel::varchar" },
  topic: { key: "topic" },
  customer_id: { key: "customer_id" },
  day: { key: "day", shown: "strftime(day, '%Y-%m-%d')" },
  week: {
    key: "date_trunc('week', day)",
    shown: "strftime(week, '%G-W%V')",
  },
  month: {
    key: "date_trunc('month', day)",
    shown: "strftime(month, '%Y-%m')",
  },
  quarter: {
    key: "date_trunc('quarter', day)",
    shown: "strftime(quarter, '%Y-Q') || quarter(quarter)",
  },
  year: {
    key: "date_trunc('year', day)",
    shown: "strftime(year, '%Y')",
  },
  weekday: { key: "isodow(day)" },
};

/** The position of a pivoted value among the known ones; NONE where there is none. */
const CODES = {
  channel: "enum_code(channel)::integer",
  topic: "coalesce(topic_code, -1)",
  weekday: "isodow(day)",
};

/** Stands for no value among the codes. */
export const NONE = -1;
const TOTAL = -2;
const PREVIOUS = -3;

// One row per interaction where its customer matters, else one per day and group.
const INTERACTIONS = `(
    select
      customer_id, date_start::date as day, channel, topic_set, 1 as rows
    from interactions)`;

function ofCustomersSql({ dimensions, has_anonymous }: MetricsTables): string {
  const columns = ofCustomers(dimensions).map(({ column }) => column);
  // Of nobody who is known, nothing else is known either.
  const anyone = has_anonymous
    ? `
      union all
      select 0, ${columns.map(() => "null").join(", ")}`
    : "";
  return `join (
      select customer_id, ${columns.join(", ")}
      from known_customers join kinds using (kind)${anyone})
    using (customer_id)`;
}

/** What is counted: its column; its columns in `counted`, and its number of these. */
interface Measure {
  readonly name: string;
  readonly counted: readonly string[];
  readonly number: string;
}

// Customers have one bit each, in blocks of 64 of neighbouring ids: 10 M rows by month
// took half of the time of count(distinct customer_id).
const MEASURES: Readonly<Record<Counting["kind"], Measure>> = {
  metrics: {
    name: "interactions",
    counted: ["sum(rows) as rows"],
    number: "sum(rows)",
  },
  reached: {
    name: "customers",
    counted: [
      "customer_id >> 6 as block",
      "bit_or(1::ubigint << (customer_id & 63)::ubigint) as bits",
    ],
    number: "sum(bit_count(bits))",
  },
};

const START = "day >= $start_date::date";
const END = "day <= $end_date::date";
const PREVIOUS_PERIOD =
  "day between $previous_start::date and $previous_end::date";
const CHANNELS = "list_contains($channels::varchar[], channel::varchar)";
const CUSTOMER_IDS =
  "customer_id in (\n      select unnest($customer_ids::bigint[]))";
const TOPICS = "list_contains($topics::varchar[], coalesce(topic, ''))";
const TOPIC_SETS = `topic_set in (
      select topic_set from set_topics
      where ${TOPICS})`;

/**
 * The statement: a column for each of `by`; then the number, or one for each of
 * `codes` and the total; then, compared, `previous` and `change`.
 */
export function metricsSql(
  question: Counting,
  { codes, ...tables }: MetricsTables & { readonly codes: readonly number[] },
): string {
  return question.kind === "metrics" && question.pivot
    ? wideSql(question, { pivot: question.pivot, codes, ...tables })
    : longSql(question, tables);
}

/** What of the tables the statement depends on. */
interface MetricsTables {
  readonly dimensions: readonly NamedDimension[];
  /** What a customer_id is shown as. */
  readonly ids: CustomersShape["ids"];
  /** Whether there are interactions of nobody who is known, under customer 0. */
  readonly has_anonymous: boolean;
}

function longSql(question: Counting, tables: MetricsTables): string {
  const { ids } = tables;
  const { by, compared_with } = question;
  const { name: measure, number } = MEASURES[question.kind];
  const groups = by.map((name) => columnOf(name, tables));
  const keys = by.map((name) => keyOf(name, tables));
  const current = `${number} filter (not earlier)`;
  const earlier = `${number} filter (earlier)`;
  const counts = compared_with
    ? [
      `coalesce(${current}, 0)::bigint as ${measure}`,
      `coalesce(${earlier}, 0)::bigint as previous`,
    ]
    : [`coalesce(${number}, 0)::bigint as ${measure}`];
  const shown = by.map((name) => shownOf(name, tables));
  return `with counted as (
  ${counted(question, { keys, tables, exploded: needsTopic(by) })}),
grouped as (
  select ${[...groups, ...counts].join(", ")}
  from counted${by.length ? `\n  group by ${groups.join(", ")}` : ""})
select
  ${
    [
      ...shown,
      measure,
      ...compared_with ? ["previous", change(measure)] : [],
    ].join(",\n  ")
  }
from grouped${withIds(by, ids)}${
    ending(question, { table: "grouped", groups })
  }`;
}

function wideSql(
  question: MetricsQuestion,
  { pivot, codes, ...tables }: MetricsTables & {
    readonly pivot: NonNullable<MetricsQuestion["pivot"]>;
    readonly codes: readonly number[];
  },
): string {
  const { ids } = tables;
  const { by, compared_with } = question;
  const by_topic = pivot === "topic";
  const groups = by.map((name) => columnOf(name, tables));
  const keys = [
    ...by.map((name) => keyOf(name, tables)),
    by_topic ? "topic_set" : `${codeOf(pivot, tables)} as code`,
  ];
  const columns = [...groups, "code", "rows"].join(", ");
  const totals = compared_with
    ? `if(earlier, ${PREVIOUS}, ${TOTAL})`
    : `${TOTAL}`;
  const all_codes = [...codes, TOTAL, ...compared_with ? [PREVIOUS] : []];
  const cells = [
    `select ${[...groups, by_topic ? CODES.topic : "code", "rows"].join(", ")}
  from counted${by_topic ? " join set_topics using (topic_set)" : ""}${
      compared_with ? "\n  where not earlier" : ""
    }`,
    `select ${[...groups, totals, "rows"].join(", ")}
  from counted`,
    // Without groups there is a row whatever there is to count.
    ...by.length ? [] : [`select ${TOTAL}, 0`],
  ];
  const shown = by.map((name) => shownOf(name, tables));
  const named = [
    ...codes.map((code) => `"${code}"`),
    `"${TOTAL}" as total`,
    ...compared_with ? [`"${PREVIOUS}" as previous`, change(`"${TOTAL}"`)] : [],
  ];
  return `with counted as (
  ${counted(question, { keys, tables, exploded: needsTopic(by) })}),
cells (${columns}) as (
  ${cells.join("\n  union all\n  ")}),
wide as (
  pivot cells on code in (${all_codes.join(", ")})
  using coalesce(sum(rows), 0)::bigint${
    by.length ? `\n  group by ${groups.join(", ")}` : ""
  })
select
  ${[...shown, ...named].join(",\n  ")}
from wide${withIds(by, ids)}${ending(question, { table: "wide", groups })}`;
}

/** The rows to count of the period, and of the one before; grouped by `keys`. */
function counted(
  question: Counting,
  { keys, tables, exploded }: {
    readonly keys: readonly string[];
    readonly tables: MetricsTables;
    readonly exploded: boolean;
  },
): string {
  const { compared_with } = question;
  const filter: Filter = question.filter;
  const source = sourceOf(question, tables) +
    (exploded ? " join set_topics using (topic_set)" : "");
  const conditions = [
    ...filter.channels ? [CHANNELS] : [],
    ...ofCustomers(tables.dimensions).filter((one) => namesIn(filter, one))
      .map((one) =>
        `list_contains($${paramOf(one)}::varchar[], coalesce(${
          shownColumn(one)
        }, ''))`
      ),
    ...filter.customer_ids ? [CUSTOMER_IDS] : [],
    ...filter.topics ? [exploded ? TOPICS : TOPIC_SETS] : [],
    ...leavesOut(question, tables) ? ["customer_id > 0"] : [],
  ];
  const period = [
    ...filter.start_date ? [START] : [],
    ...filter.end_date ? [END] : [],
  ];
  const part = (period: readonly string[], earlier?: boolean) => {
    const where = [...period, ...conditions];
    const flag = earlier === undefined ? [] : [`${earlier} as earlier`];
    return `select
    ${[...keys, ...flag, ...MEASURES[question.kind].counted].join(",\n    ")}
  from ${source}${where.length ? `\n  where ${where.join("\n    and ")}` : ""}
  group by all`;
  };
  return compared_with
    ? `${part(period, false)}\n  union all\n  ${part([PREVIOUS_PERIOD], true)}`
    : part(period);
}

function leavesOut(
  question: Counting,
  { has_anonymous }: MetricsTables,
): boolean {
  return has_anonymous &&
    (question.kind === "reached" || question.of_known_customers === true);
}

function sourceOf(question: Counting, tables: MetricsTables): string {
  const { kind } = question;
  const by: readonly Dimension[] = question.by;
  const filter: Filter = question.filter;
  const pivot = kind === "metrics" ? question.pivot : undefined;
  const customer = kind === "reached" || by.includes("customer_id") ||
    filter.customer_ids || leavesOut(question, tables);
  const used = ofCustomers(tables.dimensions)
    .filter((one) =>
      by.includes(one.name) || pivot === one.name || namesIn(filter, one)
    );
  const rollup = customer
    ? undefined
    : ROLLUPS.find((rollup) =>
      used.every(({ rollups }) => rollups.includes(rollup))
    );
  if (rollup) return rollup;
  return used.length > 0
    ? `${INTERACTIONS} ${ofCustomersSql(tables)}`
    : INTERACTIONS;
}

function customerDimension(
  name: Dimension,
  { dimensions }: MetricsTables,
): NamedDimension | undefined {
  return ofCustomers(dimensions).find((one) => one.name === name);
}

function columnOf(name: Dimension, tables: MetricsTables): string {
  return customerDimension(name, tables)?.column ?? name;
}

function codeOf(pivot: Dimension, tables: MetricsTables): string {
  const named = customerDimension(pivot, tables);
  return named
    ? `coalesce(enum_code(${named.column})::integer, ${NONE})`
    : CODES[pivot as keyof typeof CODES];
}

function needsTopic(by: readonly Dimension[]): boolean {
  return by.includes("topic");
}

function keyOf(name: Dimension, tables: MetricsTables): string {
  const column = columnOf(name, tables);
  const key = customerDimension(name, tables)
    ? column
    : name === "customer_id" && tables.has_anonymous
    ? "nullif(customer_id, 0)"
    : EXPRESSIONS[name as keyof typeof EXPRESSIONS].key;
  return `${key} as ${column}`;
}

function shownOf(name: Dimension, tables: MetricsTables): string {
  const named = customerDimension(name, tables);
  if (named) return `${shownColumn(named)} as ${named.column}`;
  const shown = name === "customer_id" && tables.ids === "text"
    ? "id"
    : EXPRESSIONS[name as keyof typeof EXPRESSIONS].shown ?? name;
  return `${shown} as ${name}`;
}

/** The table with the ids that are shown, where they are texts. */
function withIds(
  by: readonly Dimension[],
  ids: CustomersShape["ids"],
): string {
  return by.includes("customer_id") && ids === "text"
    ? "\nleft join ids using (customer_id)"
    : "";
}

function change(total: string): string {
  return `round((${total} - previous) / nullif(previous, 0), 4) as change`;
}

function ending(
  { limit }: Counting,
  { table, groups }: {
    readonly table: string;
    readonly groups: readonly string[];
  },
): string {
  const order = groups.map((name) => `${table}.${name} nulls last`).join(", ");
  return `${order ? `\norder by ${order}` : ""}${
    limit === undefined ? "" : "\nlimit $row_limit::bigint"
  }`;
}
