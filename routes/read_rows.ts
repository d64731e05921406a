/** Reads the rows that a JSON answer is made of, no more of them than it may have. */

import { HTTPException } from "hono/http-exception";
import {
  type Dimension,
  isTime,
  type TimeDimension,
} from "../db/model/dimensions.ts";
import {
  type AnswerColumns,
  type Cell,
  columnsOf,
  type MetricsQuestion,
  type Question,
} from "../db/model/questions.ts";
import type { Run } from "../db/model/run.ts";
import type { Snapshot } from "../db/store.ts";
import { MAX_JSON_BYTES, tooManyBytes } from "./json_body.ts";
import { createLeastBytes } from "./json_text.ts";

/** Most rows of an answer that has no pages. */
const MAX_JSON_ROWS = 10_000;

/**
 * Cells of a pivot: where there may be more, its rows are counted first. A table of
 * 10,000 by 1,000 took 1.7 s until it was refused, and to count its rows 0.03 s.
 */
const MOST_CELLS = 4_000_000;

/** From 1900 to 2078: the values that a dimension of the calendar can have at most. */
const PERIODS: Readonly<Record<TimeDimension, number>> = {
  day: 65_379,
  week: 9_340,
  month: 2_148,
  quarter: 716,
  year: 179,
  weekday: 7,
};

/** A question, and how many rows of its answer are read. */
export interface Read {
  readonly question: Question;
  /** Rows of the page; absent where all rows are read. */
  readonly page_rows?: number;
  /** Where all rows are read, the largest number of them; more are a 400. */
  readonly most_rows?: number;
}

/** Rows that are read. */
export interface ReadRows extends AnswerColumns {
  readonly cells: readonly (readonly Cell[])[];
  /** The last row of the page, when another page follows. */
  readonly last?: readonly Cell[];
}

/**
 * Asks the questions one after the other. Throws a 400 when there are more rows or
 * bytes than a JSON answer may have.
 */
export async function readAll(
  snapshot: Snapshot,
  { reads, run }: { readonly reads: readonly Read[]; readonly run: Run },
): Promise<ReadRows[]> {
  const answers: ReadRows[] = [];
  for (const read of reads) {
    const rows = await readUpTo(snapshot, {
      question: read.question,
      limit: limitOf(read),
      run,
    });
    answers.push(within(read, rows));
  }
  return answers;
}

/** The same from memory, at once; null where it takes a query. */
export function recallAll(
  snapshot: Snapshot,
  reads: readonly Read[],
): ReadRows[] | null {
  const answers: ReadRows[] = [];
  for (const read of reads) {
    const limited = { ...read.question, limit: limitOf(read) };
    const cells = snapshot.recall(limited);
    if (!cells) return null;
    answers.push(within(read, { ...shapeOf(snapshot, read.question), cells }));
  }
  return answers;
}

// Columns that depend on the snapshot only, kept as long as the snapshot.
const shapes_of = new WeakMap<Snapshot, Map<string, AnswerColumns>>();

function shapeOf(snapshot: Snapshot, question: Question): AnswerColumns {
  const { kind, filter } = question;
  if (filter.channels || kind === "metrics" || kind === "customer_count") {
    return columnsOf(question, snapshot);
  }
  const shapes = shapes_of.get(snapshot) ?? new Map<string, AnswerColumns>();
  shapes_of.set(snapshot, shapes);
  const shape = shapes.get(kind) ?? columnsOf(question, snapshot);
  shapes.set(kind, shape);
  return shape;
}

/** The largest number of rows that a read gives. */
export function mostRows(
  { page_rows, most_rows = MAX_JSON_ROWS }: Read,
): number {
  return page_rows ?? most_rows;
}

// One more row shows whether there are too many, or another page.
function limitOf(read: Read): number {
  return mostRows(read) + 1;
}

function within(read: Read, rows: ReadRows): ReadRows {
  const { cells, ...shape } = rows;
  const most = mostRows(read);
  if (cells.length <= most) return rows;
  if (read.page_rows === undefined) throw tooManyRows(most);
  const page = cells.slice(0, most);
  return { ...shape, cells: page, last: page.at(-1) };
}

function tooManyRows(most: number): HTTPException {
  return new HTTPException(400, {
    message:
      `The answer has more than ${most} rows. Ask for less, or for format=csv or format=ndjson.`,
  });
}

/** The rows that an answer has at most. */
export function rowsAtMost(
  { names, report: { customers } }: Snapshot,
  question: Question,
): number {
  const valuesOf = (dimension: Dimension) =>
    isTime(dimension)
      ? PERIODS[dimension]
      // One more for those without. Ids and free text are as many as customers.
      : (names[dimension]?.length ?? customers) + 1;
  switch (question.kind) {
    case "interactions":
    case "customers":
      return customers;
    case "timeline":
      return valuesOf(question.interval);
    case "topics":
      return valuesOf("topic");
    case "metrics":
    case "reached":
    case "customer_count":
      return question.by.map(valuesOf)
        .reduce((product, one) => product * one, 1);
  }
}

/** How many rows a question has; those after the `most` first ones do not count. */
async function countUpTo(
  snapshot: Snapshot,
  { question, most, run }: {
    readonly question: MetricsQuestion;
    readonly most: number;
    readonly run: Run;
  },
): Promise<number> {
  let rows = 0;
  const { batches } = snapshot.ask({ ...question, limit: most }, run);
  for await (const batch of batches) rows += batch.length;
  return rows;
}

// Asks for and reads no more rows than fit into the bytes of a JSON answer.
async function readUpTo(
  snapshot: Snapshot,
  { question, limit, run }: {
    readonly question: Question;
    readonly limit: number;
    readonly run: Run;
  },
): Promise<ReadRows> {
  const { columns, pivoted } = columnsOf(question, snapshot);
  const leastBytes = createLeastBytes({ columns, pivoted });
  const fitting = Math.floor(MAX_JSON_BYTES / leastBytes([]));
  const most = Math.min(limit, fitting + 1);
  const limited = { ...question, limit: most };
  if (
    question.kind === "metrics" && question.pivot !== undefined &&
    rowsAtMost(snapshot, question) * columns.length > MOST_CELLS
  ) {
    // Without the pivot, the same rows have one number each.
    const long = { ...question, pivot: undefined };
    const rows = await countUpTo(snapshot, { question: long, most, run });
    if (rows === most) {
      throw most < limit ? tooManyBytes(most) : tooManyRows(limit - 1);
    }
  }
  const cells: (readonly Cell[])[] = [];
  let bytes = 0;
  for await (const batch of snapshot.ask(limited, run).batches) {
    for (const row of batch) {
      cells.push(row);
      bytes += leastBytes(row);
      if (bytes > MAX_JSON_BYTES) throw tooManyBytes(cells.length);
    }
  }
  return { columns, pivoted, cells };
}
