/** The common parts of endpoints with rows: parameters, failures, and the text of their answers. */

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
import { dataVersionSchema } from "../db/model/report.ts";
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
const MAX_JSON_ROWS = 10_000;

/** The query string of an endpoint that answers with rows. */
export function rowsQuerySchema<Shape extends z.ZodRawShape>(shape: Shape) {
  return querySchema({ ...shape, ...questionShape, ...formatShape });
}

/** The parameter that chooses a format. */
export const formatSchema = z.enum(FORMAT_NAMES, {
  error: ({ input }) =>
    `Unknown format ${JSON.stringify(String(input).slice(0, 60))}. Known: ${
      FORMAT_NAMES.join(", ")
    }.`,
}).optional().meta({
  description:
    "The format of the answer; without it Accept decides. All formats but json have all rows, without the default limit",
});

/** The parameters that choose a representation. */
const formatShape = {
  format: formatSchema,
  bom: z.literal("1", "bom must be 1.").optional().meta({
    description: "1 puts a byte order mark before csv, for Excel",
  }),
};

/** The parameter of every question that says of which data it is. */
export const versionShape = {
  data_version: dataVersionSchema.optional().meta({
    description:
      "Answer only if this is the served version, else 410; such an answer may be kept for a day",
  }),
};

/** The parameters of every question but one about a table. */
export const questionShape = {
  ...versionShape,
  explain: z.literal("1", "explain must be 1.").optional().meta({
    description:
      "1 adds meta.explain: the filters, files and SQL of the answer",
  }),
};

/** The number in the answer to a question without groups. */
export async function readNumber(
  snapshot: Snapshot,
  { question, run }: { readonly question: Question; readonly run: Run },
): Promise<number> {
  const { cells: [[number]] } = await readRows(() =>
    snapshot.ask(question, run)
  );
  return number as number;
}

/** The sum of the cells of the columns from `start` up to `end`, which is excluded. */
export function sumOf(
  rows: readonly (readonly Cell[])[],
  { start, end }: { readonly start: number; readonly end: number },
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

/** Reads all rows of `ask`. Throws a 400 when there are more than a JSON answer may have. */
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

/** Reads a page of `page_rows` rows; `last` is its last row when another page follows. */
export async function readPage(
  ask: (limit: number) => Rows,
  page_rows: number = PAGE_ROWS.fallback,
): Promise<ReadRows & { last?: readonly Cell[] }> {
  // One more row shows whether there is another page.
  const { cells, ...shape } = await readUpTo(ask, page_rows + 1);
  const page = { ...shape, cells: cells.slice(0, page_rows) };
  return cells.length > page_rows ? { ...page, last: page.cells.at(-1) } : page;
}

// Asks for and reads no more rows than fit into the bytes of a JSON answer.
async function readUpTo(
  ask: (limit: number) => Rows,
  limit: number,
): Promise<ReadRows> {
  // For its columns only: no query runs until rows are read.
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
  { rows: { cells, ...shape }, meta }: {
    readonly rows: ReadRows;
    readonly meta: Readonly<Record<string, Json>>;
  },
): JsonText {
  const data = listParts(cells, createRowText(shape));
  return answerText(snapshot, { data, meta });
}

/** The text of an answer whose data is `data`, itself JSON text. */
export function* answerText(
  { data_version, loaded_at }: Snapshot,
  { data, meta }: {
    readonly data: JsonText;
    readonly meta: Readonly<Record<string, Json>>;
  },
): JsonText {
  yield '{"data":';
  yield* data;
  yield ',"meta":';
  yield* jsonParts({ data_version, loaded_at, ...meta });
  yield "}";
}

/** The member that `explain=1` adds to meta; no member without it. */
export async function explained(
  snapshot: Snapshot,
  { explain, questions, filter, q }: {
    readonly explain: string | undefined;
    readonly questions: readonly (Question | CustomerQuestion)[];
    readonly filter: Filter;
    /** What is searched for. */
    readonly q?: string | undefined;
  },
): Promise<Readonly<Record<string, Json>>> {
  if (!explain) return {};
  const { report } = snapshot;
  const sql = await Promise.all(
    questions.map((question) => snapshot.explain(question)),
  );
  return {
    explain: {
      filters: filterJson({ ...filter, ...q !== undefined && { q } }),
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

/** The failure of an endpoint with formats. */
export const NOT_ACCEPTABLE = failure(
  "None of the formats in Accept is available; the text names those that are",
);

/** The failures of every endpoint with rows. */
export const rowsFailures = {
  400: failure(
    "A parameter is wrong, or the answer is too large for its format; the text says which and why",
  ),
  406: NOT_ACCEPTABLE,
  503: failure("No data is loaded yet, or too many requests wait"),
  410: failure("data_version or the cursor is not of the served version"),
  504: failure("The answer takes too long"),
} as const;

/** The schema of the members that every answer's meta has. */
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
