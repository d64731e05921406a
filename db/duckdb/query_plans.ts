/** Answers questions with rows: chooses the SQL, its values and the columns. */

import { DuckDBListValue, type DuckDBValue, listValue } from "@duckdb/node-api";
import type { CustomersShape } from "../model/customer_ids.ts";
import {
  type Dimension,
  type NamedDimension,
  namesIn,
  ofCustomers,
} from "../model/dimensions.ts";
import { prefixKey } from "../model/names.ts";
import {
  type AnswerColumns,
  type AnswerShape,
  columnsOf,
  pivotedValues,
} from "../model/questions.ts";
import type {
  Cell,
  CustomerQuestion,
  Filter,
  InteractionsQuestion,
  MetricsQuestion,
  Question,
  ReachedQuestion,
  Rows,
  Statement,
} from "../model/questions.ts";
import type { Run } from "../model/run.ts";
import type { Snapshot } from "../store.ts";
import { readSql } from "../read_sql.ts";
import { quoteText } from "./database.ts";
import { metricsSql, NONE } from "./metrics_sql.ts";
import type { QueryRunner } from "./query_runner.ts";
import { paramOf, repeated } from "./record_sql.ts";
import { shownCountsSql, shownSql, withoutEnd } from "./shown_sql.ts";

/** The facts about the tables that plans need. */
export interface QuestionTables extends AnswerShape {
  /** Whether there are interactions of nobody who is known, under customer 0. */
  readonly has_anonymous: boolean;
  readonly positionOf: Snapshot["positionOf"];
}

/** A statement, its values, and how a row of it becomes a row of the answer. */
interface Plan {
  readonly statement: string | Statement;
  readonly values: Record<string, DuckDBValue>;
  /** Of the statement that repeats a part for each: the dimensions that it groups by. */
  readonly by?: readonly Dimension[];
  /** Has the statement show customers by texts and names, where they have such. */
  show?(text: string, customers: CustomersShape): string;
  /** When absent, the row is unchanged. */
  toCells?(row: readonly Cell[]): Cell[];
  /** The row of the answer when the statement finds none. */
  readonly otherwise?: readonly Cell[];
}

/** How a snapshot answers questions; `runner` runs them. */
export function createQuestions(
  runner: QueryRunner,
  tables: QuestionTables,
): Pick<Snapshot, "ask" | "explain"> {
  async function statementOf(
    { statement, by, show }: Plan,
  ): Promise<Statement> {
    if (typeof statement !== "string") return statement;
    const { customers, dimensions } = tables;
    const text = repeated(await readSql(statement), { dimensions, by });
    return { name: statement, text: show?.(text, customers) ?? text };
  }

  async function* read(
    question: Question,
    { answer, run }: { readonly answer: AnswerColumns; readonly run: Run },
  ): AsyncGenerator<Cell[][]> {
    const planned = plan(question, { answer, tables });
    const { values, toCells, otherwise } = planned;
    const { text } = await statementOf(planned);
    let empty = true;
    for await (const rows of runner.query(text, { values, run })) {
      empty &&= rows.length === 0;
      yield toCells ? rows.map(toCells) : rows;
    }
    if (empty && otherwise) yield [[...otherwise]];
  }

  async function count(
    question: Question,
    { answer, run }: { readonly answer: AnswerColumns; readonly run: Run },
  ): Promise<number> {
    const planned = plan(question, { answer, tables });
    const { values, otherwise } = planned;
    const { text } = await statementOf(planned);
    const counting = `select count(*) from (${withoutEnd(text)}\n)`;
    let rows = 0;
    for await (const [[count]] of runner.query(counting, { values, run })) {
      rows = count as number;
    }
    return rows || (otherwise ? 1 : 0);
  }

  return {
    ask(question, run): Rows {
      const answer = columnsOf(question, tables);
      return {
        ...answer,
        batches: read(question, { answer, run }),
        count: () => count(question, { answer, run }),
        pause: () => run.pause(),
      };
    },
    async explain(question) {
      const planned = "kind" in question
        ? plan(question, {
          answer: columnsOf(question, tables),
          tables,
        })
        : planCustomer(question);
      const { name, text } = await statementOf(planned);
      return { name, text: withLiterals(text, planned.values) };
    },
  };
}

/** The statement that counts one customer's interactions, and its values. */
export function planCustomer(
  { customer_id, ...filter }: CustomerQuestion,
): Plan {
  const { start_date, end_date, topics } = counted(filter);
  return {
    statement: "queries/customer_interactions",
    values: { customer_id: BigInt(customer_id), start_date, end_date, topics },
    show: (text, { ids }) => ids === "text" ? shownCountsSql(text) : text,
  };
}

/** The statement with its values in it, as a DuckDB shell runs it. */
function withLiterals(
  text: string,
  values: Readonly<Record<string, DuckDBValue>>,
): string {
  return text.replaceAll(/\$([a-z_0-9]+)/g, (_, name) => literal(values[name]));
}

function literal(value: DuckDBValue): string {
  if (value instanceof DuckDBListValue) {
    return `[${value.items.map(literal).join(", ")}]`;
  }
  return typeof value === "string" ? quoteText(value) : `${value}`;
}

function plan(
  question: Question,
  { answer, tables }: {
    readonly answer: AnswerColumns;
    readonly tables: QuestionTables;
  },
): Plan {
  switch (question.kind) {
    case "metrics":
    case "reached":
      return planMetrics(question, tables);
    case "interactions":
      return planInteractions(question, { answer, tables });
    case "timeline":
      return {
        statement: "queries/timeline",
        values: {
          ...counted(question.filter),
          customer_id: BigInt(question.customer_id),
          period_length: question.interval,
          row_limit: big(question.limit),
        },
        toCells: perChannel(answer, tables),
      };
    case "topics":
      return {
        statement: "queries/topics",
        values: {
          ...counted(question.filter),
          customer_id: BigInt(question.customer_id),
        },
        toCells: perChannel(answer, tables),
      };
    case "customers":
      return {
        statement: "queries/customers",
        values: {
          ...customers(question.filter, tables.dimensions),
          prefix: question.prefix === undefined
            ? null
            : prefixKey(question.prefix),
          ...tables.customers.ids === "text" || tables.customers.names
            ? { beginning: question.prefix?.normalize("NFC") ?? null }
            : {},
          after_id: big(question.after_customer_id),
          row_limit: big(question.limit),
        },
        show: shownSql,
        toCells: perChannel(answer, tables),
      };
    case "customer_count": {
      const { by, filter } = question;
      return {
        statement: "queries/customer_count",
        by,
        values: {
          ...customers(filter, tables.dimensions),
          without_record: question.without_record ?? false,
        },
        otherwise: by.length === 0 ? [0] : undefined,
      };
    }
  }
}

function planMetrics(
  question: MetricsQuestion | ReachedQuestion,
  tables: QuestionTables,
): Plan {
  const { filter, compared_with, limit } = question;
  const pivot = question.kind === "metrics" ? question.pivot : undefined;
  const codes = pivot
    ? pivotedValues(pivot, { filter, ...tables }).map((value) =>
      codeOf(value, { pivot, tables })
    )
    : [];
  return {
    statement: {
      name: "metrics",
      text: metricsSql(question, {
        codes,
        dimensions: tables.dimensions,
        has_anonymous: tables.has_anonymous,
        ids: tables.customers.ids,
      }),
    },
    // Only the params in the text: DuckDB refuses others.
    values: Object.fromEntries(
      Object.entries({
        ...counted(filter),
        ...customers(filter, tables.dimensions),
        previous_start: compared_with?.start_date ?? null,
        previous_end: compared_with?.end_date ?? null,
        row_limit: big(limit),
      }).filter(([, value]) => value !== null),
    ),
  };
}

function codeOf(
  value: string | number | null,
  { pivot, tables }: {
    readonly pivot: NonNullable<MetricsQuestion["pivot"]>;
    readonly tables: QuestionTables;
  },
): number {
  if (typeof value === "number") return value;
  return value === null ? NONE : tables.positionOf(pivot, value)!;
}

function planInteractions(
  question: InteractionsQuestion,
  { answer, tables }: {
    readonly answer: AnswerColumns;
    readonly tables: QuestionTables;
  },
): Plan {
  const { filter, sort, after, limit } = question;
  const { start_date, end_date, topics, channels } = filter;
  const filtered = start_date || end_date || topics || channels;
  const channel = typeof sort.by === "string" ? null : sort.by.channel;
  return {
    statement: filtered
      ? "queries/interactions_filtered"
      : "queries/interactions",
    values: {
      ...customers(filter, tables.dimensions),
      ...filtered && counted(filter),
      sort: typeof sort.by === "string" ? sort.by : "channel",
      sort_channel: channel === null || filtered
        ? channel
        : tables.names.channel.indexOf(channel) + 1,
      direction: sort.descending ? -1 : 1,
      after_value: after === undefined
        ? null
        : big(sort.descending ? -after.value : after.value),
      after_id: big(after?.customer_id),
      row_limit: big(limit),
    },
    show: shownSql,
    toCells: perChannel(answer, tables),
  };
}

/** Returns a function that picks the channels of the answer from the counts of all channels, and adds the total. */
function perChannel(
  { pivoted }: AnswerColumns,
  { positionOf }: QuestionTables,
): (row: readonly Cell[]) => Cell[] {
  const { start, names } = pivoted!;
  const positions = names.map((name) => start + positionOf("channel", name)!);
  return (row) => {
    const cells = row.slice(0, start);
    let total = 0;
    for (const position of positions) {
      const count = row[position] as number;
      total += count;
      cells.push(count);
    }
    cells.push(total);
    return cells;
  };
}

/** The params that choose customers. */
function customers(
  filter: Filter,
  dimensions: readonly NamedDimension[],
): Record<string, DuckDBValue> {
  const { customer_ids } = filter;
  return {
    ...Object.fromEntries(
      ofCustomers(dimensions)
        .map((one) => [paramOf(one), namesValue(namesIn(filter, one))]),
    ),
    customer_ids: customer_ids ? listValue(customer_ids.map(BigInt)) : null,
  };
}

/** The params that choose which interactions count. */
function counted(filter: Filter): Record<string, DuckDBValue> {
  const { start_date, end_date, channels, topics } = filter;
  return {
    start_date: start_date ?? null,
    end_date: end_date ?? null,
    channels: namesValue(channels),
    topics: namesValue(topics),
  };
}

// Names as a value of a statement; no name is empty, so the empty text stands for no name.
function namesValue(
  list: readonly (string | null)[] | undefined,
): DuckDBValue {
  return list ? listValue(list.map((name) => name ?? "")) : null;
}

function big(value: number | undefined): bigint | null {
  return value === undefined ? null : BigInt(value);
}
