/** What endpoints that answer with rows have in common: parameters, failures, and the text of their answers. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type {
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
import { createRowText, type Json, jsonText } from "./json_text.ts";

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
  const [[number]] = await readRows(snapshot.ask(question, run));
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

/** All rows; throws a 400 when there are more than JSON answers whole. */
export async function readRows(
  rows: Rows,
  most = MAX_JSON_ROWS,
): Promise<Cell[][]> {
  const all: Cell[][] = [];
  for await (const batch of rows.batches) {
    for (const row of batch) all.push([...row]);
    if (all.length > most) {
      throw new HTTPException(400, {
        message:
          `The answer has more than ${most} rows. Ask for less, or for format=csv or format=ndjson.`,
      });
    }
  }
  return all;
}

/** A page of `page_rows` rows, and the last of them where there is another page. */
export async function readPage(
  ask: (limit: number) => Rows,
  page_rows: number = PAGE_ROWS.fallback,
) {
  // One more tells whether there is another page.
  const rows = ask(page_rows + 1);
  const cells = await readRows(rows, page_rows + 1);
  const page = cells.slice(0, page_rows);
  const last = cells.length > page_rows ? page.at(-1) : undefined;
  return { rows, page, last };
}

/** The text of an answer of many rows. */
export function rowsAnswer(
  snapshot: Snapshot,
  shape: Pick<Rows, "columns" | "pivoted">,
  rows: readonly (readonly Cell[])[],
  meta: Readonly<Record<string, Json>>,
): string {
  return answerText(
    snapshot,
    `[${rows.map(createRowText(shape)).join(",")}]`,
    meta,
  );
}

/** The text of an answer whose data is `data`, itself JSON text. */
export function answerText(
  { data_version, loaded_at }: Snapshot,
  data: string,
  meta: Readonly<Record<string, Json>>,
): string {
  return `{"data":${data},"meta":${
    jsonText({ data_version, loaded_at, ...meta })
  }}`;
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
  data_version: "dd245b5f425f4ff5",
  loaded_at: "2024-05-01T10:00:00.000Z",
};

/** The schema of counts by name. */
export const countsSchema = z.record(z.string(), z.int());
