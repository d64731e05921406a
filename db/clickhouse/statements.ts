/** The statements of questions for ClickHouse, composed of fixed fragments; values are their params. */

import { ofCustomers, recordOf } from "../model/dimensions.ts";
import { foldText, prefixKey } from "../model/names.ts";
import type {
  CustomerCountQuestion,
  CustomerQuestion,
  CustomersQuestion,
  InteractionsQuestion,
  Question,
  TimelineQuestion,
  TopicsQuestion,
} from "../model/questions.ts";
import {
  groupBy,
  groupedBy,
  keysOf,
  namesUsed,
  orderBy,
  PERIODS,
  shownOf,
  withNames,
} from "./groups_sql.ts";
import { metricsSql } from "./metrics_sql.ts";
import type { Param } from "./server.ts";
import {
  FIRST_DAY,
  LAST_DAY,
  StatementParts,
  type VersionTables,
} from "./statement_parts.ts";

/** A statement with its values; its tables have no database. */
export interface Composed {
  /** Of what it answers, for people. */
  readonly name: string;
  readonly text: string;
  readonly params: Readonly<Record<string, Param>>;
}

/** The statement of a question whose answer is rows. */
export function statementOf(
  question: Question,
  tables: VersionTables,
): Composed {
  const parts = new StatementParts(tables);
  const text = textOf(question, parts);
  return { name: question.kind, text, params: parts.params };
}

/** The statement that counts one customer's interactions: one row of a list of counts, or none for an unknown one. */
export function customerStatement(
  question: CustomerQuestion,
  tables: VersionTables,
): Composed {
  const parts = new StatementParts(tables);
  const text = customerSql(question, parts);
  return { name: "customer", text, params: parts.params };
}

function textOf(question: Question, parts: StatementParts): string {
  switch (question.kind) {
    case "metrics":
    case "reached":
      return metricsSql(question, parts);
    case "interactions":
      return interactionsSql(question, parts);
    case "timeline":
      return timelineSql(question, parts);
    case "topics":
      return topicsSql(question, parts);
    case "customers":
      return customersSql(question, parts);
    case "customer_count":
      return customerCountSql(question, parts);
  }
}

function customerSql(
  { customer_id, ...filter }: CustomerQuestion,
  parts: StatementParts,
): string {
  const id = parts.param("customer_id", {
    type: "UInt64",
    value: customer_id,
  });
  const conditions = [...parts.ofTopics(filter), ...parts.inTime(filter)];
  if (conditions.length === 0) {
    return `select counts from customers where customer_id = ${id}`;
  }
  const where = [`customer_id = ${id}`, ...conditions];
  return `with (select count() from customers where customer_id = ${id}) as known
select ${parts.perChannel()}
from (
  select mapFromArrays(groupArray(channel), groupArray(rows)) as cells
  from (
    select channel, count() as rows
    from interactions
    where ${where.join("\n      and ")}
    group by channel))
where known > 0`;
}

function interactionsSql(
  { filter, sort, after, limit }: InteractionsQuestion,
  parts: StatementParts,
): string {
  const { start_date, end_date, topics, channels } = filter;
  const filtered = start_date || end_date || topics || channels;
  const sign = sort.descending ? "-" : "";
  const channel = typeof sort.by === "string" ? null : sort.by.channel;
  const code = channel === null
    ? null
    : parts.tables.names.channel.indexOf(channel);
  const by_id = sort.by === "customer_id";
  const rank = `${sign}toInt64(${
    by_id
      ? "customer_id"
      : code === null
      ? filtered ? "rows" : "total"
      : filtered
      ? `cells[${code}]`
      : `counts[${code + 1}]`
  })`;
  const where = [...parts.ofKinds(filter), ...parts.ofIds(filter)];
  const customers = `select customer_id, id, name, kind, counts, total
    from customers${
    where.length ? `\n    where ${where.join("\n      and ")}` : ""
  }`;
  const counted = (also: readonly string[]) => {
    const conditions = [
      ...parts.ofInteractions(filter),
      ...also,
    ];
    return `select
      customer_id,
      mapFromArrays(groupArray(channel), groupArray(found)) as cells,
      sum(found) as rows
    from (
      select customer_id, channel, count() as found
      from interactions${
      conditions.length
        ? `\n      where ${conditions.join("\n        and ")}`
        : ""
    }
      group by customer_id, channel)
    group by customer_id`;
  };
  const page = (source: string) =>
    `select *, ${rank} as rank
  from (
    ${source})${afterSql({ sort, after }, parts)}
  order by rank, customer_id${parts.limit(limit)}`;
  const left_join = (left: string, right: string) =>
    `select customers.*, cells, rows
    from (
    ${left}) as customers
    left join (
    ${right}) as counted using (customer_id)`;
  // By id, the page is known before anything is counted.
  const rows = !filtered ? page(customers) : by_id
    ? left_join(
      page(customers),
      counted([`customer_id in (select customer_id from (
    ${page(customers)}))`]),
    )
    : page(left_join(customers, counted([])));
  return `select ${
    [
      ...customerColumns(parts.tables),
      filtered ? parts.perChannel() : "counts",
    ].join(", ")
  }
from (
  ${rows}) as page
any left join kinds using (kind)
order by rank, customer_id`;
}

/** The condition that rows come after one of a page, by their rank. */
function afterSql(
  { sort, after }: Pick<InteractionsQuestion, "sort" | "after">,
  parts: StatementParts,
): string {
  if (after === undefined) return "";
  const rank = parts.param("after_value", {
    type: "Int64",
    value: sort.descending ? -after.value : after.value,
  });
  const id = parts.param("after_id", {
    type: "UInt64",
    value: after.customer_id,
  });
  return `\n  where rank > ${rank} or (rank = ${rank} and customer_id > ${id})`;
}

function timelineSql(
  { customer_id, interval, filter, limit }: TimelineQuestion,
  parts: StatementParts,
): string {
  const id = parts.param("customer_id", {
    type: "UInt64",
    value: customer_id,
  });
  const where = [
    `customer_id = ${id}`,
    ...parts.ofInteractions(filter),
  ].join(" and ");
  const { of, text } = PERIODS[interval];
  const { start_date, end_date } = filter;
  const first = start_date === undefined
    ? "min(day)"
    : parts.day("first_day", start_date < FIRST_DAY ? FIRST_DAY : start_date);
  const last = end_date === undefined
    ? "max(day)"
    : parts.day("last_day", end_date > LAST_DAY ? LAST_DAY : end_date);
  // Without a date, the periods are those of interactions, if there are any. The
  // count makes one row of them in any case.
  const any = start_date === undefined || end_date === undefined
    ? "count() > 0"
    : "count() >= 0";
  return `select ${text("period")} as period_text, ${parts.perChannel()}
from (
  select arrayJoin(if(${any}, range(
    ${of(first)},
    greatest(${of(first)}, ${of(last)} + 1)), [])) as period
  from interactions
  where ${where}
) as periods
left join (
  select period, mapFromArrays(groupArray(channel), groupArray(rows)) as cells
  from (
    select ${of("day")} as period, channel, count() as rows
    from interactions
    where ${where}
    group by period, channel)
  group by period
) as counted using (period)
order by period${parts.limit(limit)}`;
}

function topicsSql(
  { customer_id, filter }: TopicsQuestion,
  parts: StatementParts,
): string {
  const id = parts.param("customer_id", {
    type: "UInt64",
    value: customer_id,
  });
  const conditions = [
    `customer_id = ${id}`,
    ...parts.ofInteractions(filter),
  ];
  const { topics } = filter;
  const chosen = topics
    ? `\n    where topic in ${parts.topicCodes(topics)}`
    : "";
  const text =
    `select nullIf(topic_names[topic], '') as topic_name, ${parts.perChannel()}
from (
  select topic, mapFromArrays(groupArray(channel), groupArray(rows)) as cells
  from (
    select topic, channel, count() as rows
    from (
      select topic_set, channel from interactions
      where ${conditions.join("\n        and ")}) as own
    join set_topics using (topic_set)${chosen}
    group by topic, channel)
  group by topic)
order by topic = 0, topic`;
  return withNames(text, ["topic"]);
}

function customersSql(
  { filter, prefix, after_customer_id, limit }: CustomersQuestion,
  parts: StatementParts,
): string {
  const where = [
    ...parts.ofKinds(filter),
    ...parts.ofIds(filter),
    ...prefix === undefined ? [] : [beginsSql(prefix, parts)],
    ...after_customer_id === undefined ? [] : [
      `customer_id > ${
        parts.param("after_id", { type: "UInt64", value: after_customer_id })
      }`,
    ],
  ];
  const contact = (day: string) => `if(total = 0, null, toString(${day}))`;
  return `select ${
    [
      ...customerColumns(parts.tables),
      "if(has_record, 'customers', 'interactions') as known_from",
      `${contact("first_day")} as first_contact`,
      `${contact("last_day")} as last_contact`,
      "counts",
    ].join(",\n  ")
  }
from (
  select * from customers${
    where.length ? `\n  where ${where.join("\n    and ")}` : ""
  }
  order by customer_id${parts.limit(limit)}) as page
any left join kinds using (kind)
order by customer_id`;
}

function beginsSql(prefix: string, parts: StatementParts): string {
  const { ids, names } = parts.tables.customers;
  const key = parts.param("prefix", {
    type: "String",
    value: prefixKey(prefix),
  });
  const beginning = foldText(prefix.normalize("NFC"));
  const searched = ofCustomers(parts.tables.dimensions)
    .filter(({ is_searched }) => is_searched)
    .map(({ column }) => `startsWith(${column}_key, ${key})`);
  const begins = [
    ids === "text"
      ? `startsWith(id_key, ${
        parts.param("id_prefix", { type: "String", value: beginning })
      })`
      : `startsWith(toString(customer_id), ${key})`,
    ...names
      ? [
        `position(name_key, ${
          parts.param("word", {
            type: "String",
            value: ` ${beginning.replaceAll("-", " ")}`,
          })
        }) > 0`,
      ]
      : [],
    ...searched.length > 0
      ? [`kind in (select kind from kinds where ${searched.join(" or ")})`]
      : [],
  ];
  return `(${begins.join(" or ")})`;
}

function customerCountSql(
  { by, without_record, filter }: CustomerCountQuestion,
  parts: StatementParts,
): string {
  const groups = by.map((name) => groupedBy(name, parts.tables));
  const where = [
    ...parts.ofKinds(filter),
    ...parts.ofIds(filter),
    ...without_record
      ? ["kind in (select kind from kinds where not has_record)"]
      : [],
  ];
  const text = `select ${[...shownOf(groups), "customers"].join(", ")}
from (
  select ${[...keysOf(groups), "sum(counted.rows) as customers"].join(", ")}
  from (
    select kind, count() as rows from customers${
    where.length ? `\n    where ${where.join("\n      and ")}` : ""
  }
    group by kind) as counted
  any left join kinds using (kind)${groupBy(groups)})${orderBy(groups)}`;
  return withNames(text, namesUsed(groups));
}

/** The columns that a list of customers begins with. */
function customerColumns(
  { customers, dimensions }: VersionTables,
): string[] {
  return [
    customers.ids === "text" ? "id" : "customer_id",
    ...customers.names ? ["nullIf(name, '')"] : [],
    ...recordOf(dimensions).map(({ column }) => `nullIf(${column}_name, '')`),
  ];
}
