/** Answers questions from the tables of a version in ClickHouse. */

import {
  type AnswerColumns,
  type Cell,
  changeOf,
  type ChannelCounts,
  columnsOf,
  type CustomerQuestion,
  type Question,
  type Rows,
} from "../model/questions.ts";
import type { Run } from "../model/run.ts";
import type { Snapshot } from "../store.ts";
import { quoteName, quoteText } from "./schema.ts";
import type { ClickhouseServer, Param, SentCell } from "./server.ts";
import { type Composed, customerStatement, statementOf } from "./statements.ts";
import { placesOf, type VersionTables } from "./statement_parts.ts";

/** Where a version lies, and what it has. */
export interface Version extends VersionTables {
  readonly database: string;
}

/** How a version answers questions, whose turn the caller has. */
export function createQuestions(
  server: ClickhouseServer,
  version: Version,
):
  & Pick<Snapshot, "ask" | "explain">
  & {
    count(
      question: CustomerQuestion,
      signal: AbortSignal,
    ): Promise<ChannelCounts | null>;
  } {
  const { database } = version;
  const channels = version.names.channel;

  async function* read(
    question: Question,
    { answer, run }: { readonly answer: AnswerColumns; readonly run: Run },
  ): AsyncGenerator<Cell[][]> {
    const toCells = cellsOf(question, { answer, channels });
    const { text, params } = statementOf(question, version);
    using _ = run.startQuery();
    const sql = qualified(text, database);
    for await (
      const rows of server.query({ sql, params, signal: run.signal })
    ) {
      yield rows.map(toCells);
      await run.pause();
    }
  }

  async function count(question: Question, run: Run): Promise<number> {
    const { text, params } = statementOf(question, version);
    using _ = run.startQuery();
    const sql = `select count() from (\n${qualified(text, database)})`;
    let rows = 0;
    for await (
      const [[count]] of server.query({ sql, params, signal: run.signal })
    ) {
      rows = count as number;
    }
    return rows;
  }

  return {
    async count(question, signal) {
      // Of no customer; ClickHouse has no number below 0 for it either.
      if (question.customer_id < 0) return null;
      const { text, params } = customerStatement(question, version);
      const [row] = await server.rows({
        sql: qualified(text, database),
        params,
        settings: { max_threads: 1 },
        signal,
      });
      return row ? row[0] as readonly number[] : null;
    },
    ask(question, run): Rows {
      const answer = columnsOf(question, version);
      return {
        ...answer,
        batches: read(question, { answer, run }),
        count: () => count(question, run),
        pause: () => run.pause(),
      };
    },
    explain(question) {
      const { name, text, params } = "kind" in question
        ? statementOf(question, version)
        : customerStatement(question, version);
      return Promise.resolve({
        name,
        text: withLiterals({ name, text: qualified(text, database), params }),
      });
    },
  };
}

const TABLES =
  /\b(from|join|into) (names|set_topics|kinds|customers|interactions|daily|products)\b/g;

/** A statement whose tables are those of a version. */
export function qualified(text: string, database: string): string {
  return text.replaceAll(
    TABLES,
    (_, before: string, table: string) =>
      `${before} ${quoteName(database)}.${table}`,
  );
}

/** The statement with its values in it, as a client of ClickHouse runs it. */
function withLiterals({ text, params }: Composed): string {
  return text.replaceAll(
    /\{(\w+):([\w()]+)\}/g,
    (_, name: string, type: string) =>
      type === "Date32"
        ? `toDate32(${literal(params[name])})`
        : literal(params[name]),
  );
}

function literal(value: Param): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  return typeof value === "string" ? quoteText(value) : `${value}`;
}

/** How a row that ClickHouse sends becomes a row of the answer. */
function cellsOf(
  question: Question,
  { answer, channels }: {
    readonly answer: AnswerColumns;
    readonly channels: readonly string[];
  },
): (row: readonly SentCell[]) => Cell[] {
  switch (question.kind) {
    case "metrics":
    case "reached":
      return question.compared_with
        ? (row) => {
          const cells = row.flat() as Cell[];
          const [now, before] = cells.slice(-2) as [number, number];
          return [...cells, changeOf(now, before)];
        }
        : (row) => row.flat() as Cell[];
    case "customer_count":
      return (row) => row as Cell[];
    default: {
      // The counts of all channels become those that are asked for, and their sum.
      const place_of = placesOf(channels);
      const places = answer.pivoted!.names.map((name) => place_of.get(name)!);
      return (row) => {
        const counts = row.at(-1) as readonly number[];
        const chosen = places.map((place) => counts[place]);
        const total = chosen.reduce((sum, count) => sum + count, 0);
        return [...row.slice(0, -1) as Cell[], ...chosen, total];
      };
    }
  }
}
