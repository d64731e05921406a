/** The common parts of endpoints with rows: parameters, failures, and the text of their answers. */

import { z } from "zod";
import type { AnswerColumns, Cell } from "../db/model/questions.ts";
import { TABLE_NAMES } from "../db/model/contract.ts";
import { dataVersionSchema } from "../db/model/report.ts";
import type { Snapshot } from "../db/store.ts";
import { type Explained, failure, type JsonAnswer } from "./endpoint.ts";
import { shownId } from "./customer_ids.ts";
import { FORMAT_NAMES } from "./formats/formats.ts";
import { querySchema } from "./query_string.ts";
import type { ReadRows } from "./read_rows.ts";
import {
  createRowText,
  type Json,
  type JsonText,
  jsonText,
  listParts,
  memberParts,
  type RowText,
} from "./json_text.ts";

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

/** The query string of a question without other parameters. */
export const questionQuery = querySchema(questionShape);

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

/** The rows of an answer as JSON. */
export function rowsJson({ cells, ...shape }: ReadRows): JsonText {
  return listParts(cells, rowTextOf(shape));
}

// Columns are kept where many answers have them.
const row_texts = new WeakMap<AnswerColumns["columns"], RowText>();

/** Writes rows of a shape; made once for each list of columns. */
export function rowTextOf(shape: AnswerColumns): RowText {
  const row_text = row_texts.get(shape.columns) ?? createRowText(shape);
  row_texts.set(shape.columns, row_text);
  return row_text;
}

/** The number in the answer to a question without groups. */
export function numberOf({ cells: [[number]] }: ReadRows): number {
  return number as number;
}

/** The text of an answer. */
export function* answerText(
  snapshot: Snapshot,
  { data, meta }: JsonAnswer,
): JsonText {
  yield '{"data":';
  yield* data;
  yield* memberParts(Object.entries(meta), metaStart(snapshot));
  yield "}}";
}

// Of each snapshot, since every answer has them.
const meta_starts = new WeakMap<Snapshot, string>();

/** The text between the data and the members of meta that answers have of their own. */
function metaStart(snapshot: Snapshot): string {
  let start = meta_starts.get(snapshot);
  if (start === undefined) {
    const { data_version, loaded_at } = snapshot;
    start = `,"meta":${jsonText({ data_version, loaded_at }).slice(0, -1)}`;
    meta_starts.set(snapshot, start);
  }
  return start;
}

/** The member that `explain=1` adds to meta. */
export async function explained(
  snapshot: Snapshot,
  { questions, filter, q }: Explained,
): Promise<Readonly<Record<string, Json>>> {
  const { report } = snapshot;
  const sql = await Promise.all(
    questions.map((question) => snapshot.explain(question)),
  );
  return {
    explain: {
      filters: { ...filter, ...q !== undefined && { q } } as Json,
      files: report.files.map(({ file, table, rows_kept, rows_set_aside }) => ({
        file,
        table,
        rows_kept,
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

/** The schema of what explain=1 adds. */
const explanationSchema = z.object({
  filters: z.object({
    start_date: z.iso.date(),
    end_date: z.iso.date(),
    channels: z.array(z.string()),
    topics: z.array(z.string().nullable()),
    types: z.array(z.string().nullable()),
    occupations: z.array(z.string().nullable()),
    customer_ids: z.array(shownId),
    q: z.string(),
  }).partial(),
  files: z.array(z.object({
    file: z.string(),
    table: z.enum(TABLE_NAMES),
    rows_kept: z.int(),
    rows_set_aside: z.int(),
  })),
  set_aside: z.array(z.object({
    file: z.string(),
    column: z.string(),
    reason: z.string(),
    rows: z.int(),
  })),
  sql: z.array(z.object({ name: z.string(), text: z.string() })),
}).meta({ id: "Explanation" });

/** The schema of the members that every answer's meta has. */
export const metaSchema = z.object({
  data_version: z.string(),
  loaded_at: z.iso.datetime(),
  explain: explanationSchema.optional(),
});
/** One of an example. */
export const EXAMPLE_META = {
  data_version: "05a5515546cba763",
  loaded_at: "2024-05-01T10:00:00.000Z",
};

/** The schema of counts by name. */
export const countsSchema = z.record(z.string(), z.int());
