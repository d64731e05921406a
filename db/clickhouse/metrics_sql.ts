/** The statements that count interactions, or the customers who had some, by groups. */

import { type Dimension, namesIn, ofCustomers } from "../model/dimensions.ts";
import {
  type Filter,
  type MetricsQuestion,
  pivotedValues,
  type ReachedQuestion,
} from "../model/questions.ts";
import {
  groupBy,
  type Grouped,
  groupedBy,
  keysOf,
  namesUsed,
  orderBy,
  shownOf,
  withNames,
} from "./groups_sql.ts";
import { isRolledUp } from "./schema.ts";
import { placesOf, type StatementParts } from "./statement_parts.ts";

/** A question that counts by groups. */
type Counting = MetricsQuestion | ReachedQuestion;

/** Where a question counts: the rollup has a row for each day and group, by what few names tell of customers. */
interface Source {
  readonly table: "daily" | "interactions";
  /** Whether interactions of nobody who is known are left out. */
  readonly leaves_out: boolean;
  /** The columns that are counted by, in `table`. */
  readonly columns: readonly string[];
}

/**
 * The statement: it counts by the columns of a table, joins what records say and the
 * topics of sets to these counts, and groups again. With a pivot, the cells of a group
 * come as a list, which has a zero where there is none.
 */
export function metricsSql(question: Counting, parts: StatementParts): string {
  const pivot = pivotOf(question);
  const groups = question.by.map((name) => groupedBy(name, parts.tables));
  const across = pivot === undefined
    ? undefined
    : groupedBy(pivot, parts.tables);
  const all = across ? [...groups, across] : groups;
  const source = sourceOf(question, { groups: all, parts });
  const counted = countedSql(question, { groups: all, source, parts });
  const is_reached = question.kind === "reached";
  const sum = is_reached ? `${setOf(parts)}Merge` : "sum";
  // No attribute has the name of a column of an answer.
  const measures = [is_reached ? "customers" : "interactions", "previous"]
    .slice(0, question.compared_with ? 2 : 1);
  const codes = pivot === "topic" ? "topics" : `[toInt64(${across?.key})]`;
  const sums = [
    ...across
      ? [
        `sumMap(${codes}, arrayMap(code -> found, ${codes})) as sums`,
        "mapFromArrays(sums.1, sums.2) as cells",
      ]
      : [],
    ...measures.map((measure, i) =>
      `${sum}(${i === 0 ? "found" : "before"}) as ${measure}`
    ),
  ];
  const shown = [
    ...shownOf(groups),
    ...across ? [cellsSql(question as MetricsQuestion, parts)] : [],
    ...measures,
  ];
  const joins = joinsOf(question, { source, parts });
  const text = `select ${shown.join(",\n  ")}
from (
  select ${[...keysOf(groups), ...sums].join(",\n    ")}
  from (
    ${counted}) as counted${joins.map((join) => `\n  ${join}`).join("")}${
    groupBy(groups)
  }) as grouped${idsJoin(question, parts)}${orderBy(groups)}${
    parts.limit(question.limit)
  }`;
  return withNames(text, namesUsed(groups));
}

/** The function that counts customers, each once. */
function setOf({ tables: { has_dense_ids } }: StatementParts): string {
  return has_dense_ids ? "groupBitmap" : "uniqExact";
}

function pivotOf(question: Counting): Dimension | undefined {
  return question.kind === "metrics" ? question.pivot : undefined;
}

function sourceOf(
  question: Counting,
  { groups, parts }: {
    readonly groups: readonly Grouped[];
    readonly parts: StatementParts;
  },
): Source {
  const { has_anonymous, dimensions } = parts.tables;
  const filter: Filter = question.filter;
  const names: readonly Dimension[] = groups.map(({ name }) => name);
  const used = ofCustomers(dimensions).filter((one) =>
    names.includes(one.name) || namesIn(filter, one)
  );
  const leaves_out = has_anonymous &&
    (question.kind === "reached" || question.of_known_customers === true);
  const is_rolled_up = question.kind === "metrics" && !leaves_out &&
    !names.includes("customer_id") && !filter.customer_ids &&
    used.every(isRolledUp);
  const columns = groups.map(({ column }) =>
    !is_rolled_up && used.some((one) => one.column === column) ? "kind" : column
  );
  return {
    table: is_rolled_up ? "daily" : "interactions",
    leaves_out,
    columns: [...new Set(columns)],
  };
}

/** The counts by the columns of a table, of the period and of the one before. */
function countedSql(
  { kind, filter, compared_with }: Counting,
  { groups, source, parts }: {
    readonly groups: readonly Grouped[];
    readonly source: Source;
    readonly parts: StatementParts;
  },
): string {
  const { table, leaves_out, columns } = source;
  const from_rollup = table === "daily";
  const found = (condition?: string) => {
    const only = condition === undefined ? "" : "If";
    const then = condition === undefined ? "" : `, ${condition}`;
    if (kind === "reached") {
      return `${setOf(parts)}State${only}(customer_id${then})`;
    }
    if (from_rollup) return `sum${only}(rows${then})`;
    return `count${only}(${condition ?? ""})`;
  };
  const times = parts.inTime(filter);
  const current = times.join(" and ") || "true";
  const previous = compared_with &&
    (parts.inTime(compared_with, "previous_").join(" and ") || "true");
  const chosen = [
    ...parts.ofTopics(filter),
    ...parts.ofChannels(filter),
    ...from_rollup ? parts.ofRecords(filter) : parts.ofKinds(filter),
    ...parts.ofIds(filter),
    ...leaves_out ? ["customer_id > 0"] : [],
    ...previous === undefined ? times : [`((${current}) or (${previous}))`],
  ];
  const raw = columns.map((column) => {
    const grouped = groups.find((one) => one.column === column);
    return grouped && grouped.raw !== column
      ? `${grouped.raw} as ${column}`
      : column;
  });
  const counts = previous === undefined
    ? [`${found()} as found`]
    : [`${found(current)} as found`, `${found(previous)} as before`];
  const where = chosen.length
    ? `\n    where ${chosen.join("\n      and ")}`
    : "";
  const group = columns.length ? `\n    group by ${columns.join(", ")}` : "";
  return `select ${[...raw, ...counts].join(",\n      ")}
    from ${table}${where}${group}`;
}

/** What is joined to the counts: records by their kind, topics by their set. */
function joinsOf(
  question: Counting,
  { source, parts }: {
    readonly source: Source;
    readonly parts: StatementParts;
  },
): string[] {
  const by: readonly Dimension[] = question.by;
  const { topics } = question.filter;
  // Only the topics that are asked for, of interactions that have others too.
  const set_topics = topics
    ? `(
    select topic_set, topic from set_topics
    where topic in ${parts.topicCodes(topics)})`
    : "set_topics";
  return [
    ...source.columns.includes("kind")
      ? ["any left join kinds using (kind)"]
      : [],
    ...by.includes("topic")
      ? [`join ${set_topics} as topics_of using (topic_set)`]
      : [],
    ...pivotOf(question) === "topic"
      ? [`any left join (
    select topic_set, groupArray(toInt64(topic)) as topics
    from set_topics group by topic_set) as sets using (topic_set)`]
      : [],
  ];
}

/** The list of the cells of a pivot, zero where there is none. */
function cellsSql(
  { pivot, filter }: MetricsQuestion,
  parts: StatementParts,
): string {
  const places = placesOf(parts.tables.names[pivot!] ?? []);
  const codes = pivotedValues(pivot!, { filter, ...parts.tables }).map(
    (value) => {
      if (typeof value === "number") return value;
      return value === null ? 0 : parts.codeOf(pivot!, places.get(value)!);
    },
  );
  const list = parts.param("codes", { type: "Array(Int64)", value: codes });
  return `arrayMap(code -> cells[code], ${list})`;
}

/** The table with the ids that are shown, where they are texts. */
function idsJoin(
  question: Counting,
  { tables: { customers } }: StatementParts,
): string {
  const by: readonly Dimension[] = question.by;
  return by.includes("customer_id") && customers.ids === "text"
    ? `
any left join (
  select customer_id as key_customer_id, id from customers) as ids
  using (key_customer_id)`
    : "";
}
