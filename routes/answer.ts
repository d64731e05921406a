/** What endpoints that answer with rows have in common: parameters, failures, and the text of their answers. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type {
  AnswerColumns,
  Cell,
  CustomerQuestion,
  Filter,
  Question,
  Rows,
} from "../db/model/questions.ts";
import type { Run } from "../db/model/run.ts";
import type { Snapshot } from "../db/store.ts";
import { failure } from "./endpoint.ts";
import { FORMAT_NAMES } from "./formats/formats.ts";
import { filterJson, PAGE_ROWS } from "./filters.ts";
import { querySchema } from "./query_string.ts";
import { MAX_JSON_BYTES, tooManyBytes } from "./json_body.ts";
import {
  createLeastBytes,
  createRowText,
  type Json,
  jsonParts,
  type JsonText,
  listParts,
} from "./json_text.ts";

/** Most rows of an answer that has no pages, as JSON. */
export const MAX_JSON_ROWS = 10_000;

/** The query string of an endpoint that answers with rows. */
export function rowsQuerySchema<Shape extends z.ZodRawShape>(shape: Shape) {
  return querySchema({ ...shape, ...explainShape, ...formatShape });
}

/** The parameters that choose a format. */
const formatShape = {
  format: z.enum(FORMAT_NAMES, {
    error: ({ input }) =>
      `Unknown format ${JSON.stringify(String(input).slice(0, 60))}. Known: ${
        FORMAT_NAMES.join(", ")
      }.`,
  }).optional().meta({
    description:
      "The format of the answer; without it Accept decides. All but json are whole, without the default limit",
  }),
  bom: z.literal("1", "bom must be 1.").optional().meta({
    description: "1 puts a byte order mark before csv, for Excel",
  }),
};

/** The parameter that asks how an answer came about. */
export const explainShape = {
  explain: z.literal("1", "explain must be 1.").optional().meta({
    description:
      "1 tells in meta.explain which filters, files and SQL the answer is from",
  }),
};

/** The one number that answers a question without groups. */
export async function readNumber(
  snapshot: Snapshot,
  question: Question,
  run: Run,
): Promise<number> {
  const { cells: [[number]] } = await readRows(() =>
    snapshot.ask(question, run)
  );
  return number as number;
}

/** The cells of some columns, from `start` to before `end`, added up. */
export function sumOf(
  rows: readonly (readonly Cell[])[],
  start: number,
  end: number,
): number {
  let sum = 0;
  for (const row of rows) {
    for (let i = start; i < end; i++) sum += row[i] as number;
  }
  return sum;
}

/** Rows that are read. */
export interface ReadRows extends AnswerColumns {
  readonly cells: readonly (readonly Cell[])[];
}

/** All rows that `ask` answers with; throws a 400 when they are more than JSON may have. */
export async function readRows(
  ask: (limit: number) => Rows,
  most = MAX_JSON_ROWS,
): Promise<ReadRows> {
  const rows = await readUpTo(ask, most + 1);
  if (rows.cells.length <= most) return rows;
  throw new HTTPException(400, {
    message:
      `The answer has more than ${most} rows. Ask for less, or for format=csv or format=ndjson.`,
  });
}

/** A page of `page_rows` rows, and the last of them where there is another page. */
export async function readPage(
  ask: (limit: number) => Rows,
  page_rows: number = PAGE_ROWS.fallback,
): Promise<ReadRows & { last?: readonly Cell[] }> {
  // One more tells whether there is another page.
  const { cells, ...shape } = await readUpTo(ask, page_rows + 1);
  const page = { ...shape, cells: cells.slice(0, page_rows) };
  return cells.length > page_rows ? { ...page, last: page.cells.at(-1) } : page;
}

// No more rows are asked for, or read, than JSON may have bytes for.
async function readUpTo(
  ask: (limit: number) => Rows,
  limit: number,
): Promise<ReadRows> {
  // Rows that are not read are not asked for: these are for their columns.
  const { columns, pivoted } = ask(0);
  const leastBytes = createLeastBytes({ columns, pivoted });
  const fitting = Math.floor(MAX_JSON_BYTES / leastBytes([]));
  const cells: (readonly Cell[])[] = [];
  let bytes = 0;
  for await (const batch of ask(Math.min(limit, fitting + 1)).batches) {
    for (const row of batch) {
      cells.push(row);
      bytes += leastBytes(row);
      if (bytes > MAX_JSON_BYTES) throw tooManyBytes(cells.length);
    }
    if (cells.length >= limit) break;
  }
  return { columns, pivoted, cells };
}

/** The text of an answer of many rows. */
export function rowsAnswer(
  snapshot: Snapshot,
  { cells, ...shape }: ReadRows,
  meta: Readonly<Record<string, Json>>,
): JsonText {
  const data = listParts(cells, createRowText(shape));
  return answerText(snapshot, data, meta);
}

/** The text of an answer whose data is `data`, itself JSON text. */
export function* answerText(
  { data_version, loaded_at }: Snapshot,
  data: JsonText,
  meta: Readonly<Record<string, Json>>,
): JsonText {
  yield '{"data":';
  yield* data;
  yield ',"meta":';
  yield* jsonParts({ data_version, loaded_at, ...meta });
  yield "}";
}

/** What `explain=1` adds to meta, or nothing where it is not asked for. */
export async function explained(
  snapshot: Snapshot,
  explain: string | undefined,
  questions: readonly (Question | CustomerQuestion)[],
  filter: Filter,
): Promise<Readonly<Record<string, Json>>> {
  if (!explain) return {};
  const { report } = snapshot;
  const sql = await Promise.all(
    questions.map((question) => snapshot.explain(question)),
  );
  return {
    explain: {
      filters: filterJson(filter),
      files: report.files.map(({ file, table, rows_kept, rows_set_aside }) => ({
        file,
        table,
        rows_counted: rows_kept,
        rows_set_aside,
      })),
      set_aside: report.files.flatMap(({ file, set_aside }) =>
        set_aside.map(({ column, reason, rows }) => ({
          file,
          column,
          reason,
          rows,
        }))
      ),
      sql: sql.map(({ name, text }) => ({ name, text })),
    },
  };
}

/** The failures that every answer with rows may be. */
export const rowsFailures = {
  400: failure(
    "A parameter is wrong, or the answer too large for its format; the text says which and why",
  ),
  406: failure("Accept has no format that there is; the text names them"),
  503: failure("No data is loaded yet, or too many questions wait"),
  504: failure("The answer takes too long"),
} as const;

/** The failures that every answer with pages may be. */
export const pagesFailures = {
  ...rowsFailures,
  410: failure("The cursor is of data that is no longer served"),
} as const;

/** The schema of what every answer's meta has. */
export const metaSchema = z.object({
  data_version: z.string(),
  loaded_at: z.iso.datetime(),
  explain: z.looseObject({}).optional(),
});
/** One of an example. */
export const EXAMPLE_META = {
  data_version: "b80cb9a916b9890e",
  loaded_at: "2024-05-01T10:00:00.000Z",
};

/** The schema of counts by name. */
export const countsSchema = z.record(z.string(), z.int());
