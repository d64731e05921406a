/** `/api/v1/data`: how fresh and how clean the data is, every row set aside, and what refreshes came to. */

import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type {
  Changes,
  LoadReport,
  Refresh,
  SetAsideRow,
} from "../db/model/report.ts";
import { requireSnapshot, type Store } from "../db/store.ts";
import { EXAMPLE_META } from "./answer.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import {
  type Endpoint,
  failure,
  NO_QUERY,
  querySchema,
  validated,
} from "./endpoint.ts";
import { PAGE_ROWS, pageShape, questionText, unknown } from "./filters.ts";
import { encodeCsv } from "./formats/csv.ts";
import type { Auth } from "./middleware/auth.ts";

/** The tables that exports fill. */
export const TABLES = [
  "channels",
  "products",
  "customers",
  "interactions",
] as const;

const setAsideQuery = querySchema({
  data_version: z.string()
    .regex(/^[0-9a-f]{16}$/, "A data_version is 16 hex digits.").optional()
    .meta({
      description:
        "Of the data that is held instead of that which is served; either's data_version",
    }),
  table: z.enum(TABLES, `table must be one of ${TABLES.join(", ")}.`)
    .optional().meta({ description: "Only rows of this table" }),
  file: z.string().optional().meta({ description: "Only rows of this file" }),
  format: z.enum(["json", "csv"], "format must be json or csv.").optional()
    .meta({ description: "csv is whole where no limit is given" }),
  ...pageShape,
});

/** The meta of every answer about the data; both are null while nothing is served. */
export const metaSchema = z.object({
  data_version: z.string().nullable(),
  loaded_at: z.iso.datetime().nullable(),
});
/** The schema of the state by the latest refresh. */
export const stateSchema = z.enum(["building", "serving", "held", "failed"]);

const currentSchema = z.object({
  state: stateSchema,
  data_version: z.string().nullable(),
  loaded_at: z.iso.datetime().nullable(),
  age_seconds: z.int().nullable(),
  restored: z.boolean().meta({
    description:
      "Whether this is the last good data of STATE_DIR, the exports being no good",
  }),
  reasons: z.array(z.string()).meta({
    description: "Of the latest refresh, in plain words",
  }),
  waiting: z.array(z.string()).meta({
    description: "What changed files are waited for",
  }),
  held: z.looseObject({ data_version: z.string() }).nullable(),
  discarded: z.string().nullable().meta({
    description:
      "The data_version whose files are not built until they change; accept serves it all the same",
  }),
  changes: z.looseObject({}).nullable().meta({
    description: "Against the data served before",
  }),
  report: z.looseObject({}).nullable().meta({
    description: "Every file, totals and warnings",
  }),
});

/** Rows that are written to a CSV at a time. */
const CSV_BATCH_ROWS = 1_000;

/** The endpoints. */
export const dataEndpoints = [
  {
    path: "/api/v1/data",
    summary: "How fresh and how clean the data is",
    description:
      "The state by the latest refresh; every file with what was kept and set aside; what changed against the version before; what may not be as meant.",
    query: NO_QUERY,
    answers: {
      200: {
        description: "What is served, what is held, and why",
        schema: z.object({ data: currentSchema, meta: metaSchema }),
      },
      400: failure("A query parameter was given"),
      503: {
        description: "Nothing is served yet; the same tells why",
        schema: z.object({
          error: z.string(),
          data: currentSchema,
          meta: metaSchema,
        }),
      },
    },
  },
  {
    admin: "optional",
    path: "/api/v1/data/set-aside",
    summary: "Every row that was set aside",
    description:
      "File, line, column and reason, in the order of files and lines; the value too, which is personal data, for the administrator. The first SET_ASIDE_KEPT are listed.",
    query: setAsideQuery,
    answers: {
      200: {
        description:
          "A page; meta.next is the cursor of the next page or null, meta.rows are listed, meta.rows_set_aside there were",
        schema: z.object({
          data: z.array(z.object({
            file: z.string(),
            line: z.int(),
            column: z.string(),
            reason: z.string(),
            value: z.string().nullable().optional(),
          })),
          meta: metaSchema.extend({
            rows: z.int(),
            rows_set_aside: z.int(),
            next: z.string().nullable(),
          }),
        }),
        example: {
          data: [{
            file: "customers.csv",
            line: 15,
            column: "customer_id",
            reason: "not a customer id from 1 to 9007199254740991",
          }],
          meta: { ...EXAMPLE_META, rows: 1, rows_set_aside: 1, next: null },
        },
      },
      400: failure("A parameter is wrong; the text says which and why"),
      401: failure("The key is not the administrator's"),
      403: failure("A key was sent, and administration is off"),
      410: failure("The data is no longer served or held"),
      503: failure("Nothing is served yet"),
    },
  },
  {
    path: "/api/v1/data/history",
    summary: "The last 50 refreshes",
    description:
      "What each came to and why, the latest first. Refreshes that changed nothing are not told.",
    query: NO_QUERY,
    answers: {
      200: {
        description: "Every refresh in short",
        schema: z.object({
          data: z.array(z.looseObject({ state: stateSchema })),
          meta: metaSchema,
        }),
      },
      400: failure("A query parameter was given"),
    },
  },
] as const satisfies readonly Endpoint[];

/** Headers of what tells of the moment. */
export const NO_STORE = { "Cache-Control": "no-store" };

/** The routes. */
export function createData(store: Store, { checkKey, isAdmin }: Auth) {
  const [data, set_aside, history] = dataEndpoints;
  return new Hono()
    .get(data.path, validated("query", NO_QUERY), (c) => {
      const body = { data: currentData(store), meta: metaOf(store.snapshot) };
      if (store.snapshot) return c.json(body, 200, NO_STORE);
      const error = store.problem ?? "Not ready: the data is being loaded.";
      return c.json({ error, ...body }, 503, {
        ...NO_STORE,
        "Retry-After": "1",
      });
    })
    .get(set_aside.path, checkKey, validated("query", setAsideQuery), (c) => {
      const { data_version, table, file, format, limit, cursor } = c.req.valid(
        "query",
      );
      const report = reportOf(store, data_version);
      const with_value = isAdmin(c.req.raw);
      const { rows, rows_set_aside } = setAsideOf(report, table, file);

      const question = questionText("set-aside", { table, file });
      const [start] = cursor === undefined
        ? [0]
        : readCursor(report, question, cursor, 1);
      if (format === "csv") {
        const end = limit === undefined ? undefined : start + limit;
        return setAsideCsv(report, rows.slice(start, end), with_value);
      }
      const end = start + (limit ?? PAGE_ROWS.fallback);
      return c.json(
        {
          data: rows.slice(start, end).map((row) => told(row, with_value)),
          meta: {
            ...metaOf(report),
            rows: rows.length,
            rows_set_aside,
            next: end < rows.length
              ? writeCursor(report, question, [end])
              : null,
          },
        },
        200,
        NO_STORE,
      );
    })
    .get(history.path, validated("query", NO_QUERY), (c) => {
      const { snapshot, refreshes } = store;
      return c.json(
        {
          data: refreshes.history.map(shortRefresh),
          meta: metaOf(snapshot),
        },
        200,
        NO_STORE,
      );
    });
}

/** The meta of an answer: which data is served, or it is about. */
export function metaOf(
  data: { data_version: string; loaded_at: string } | null,
): z.output<typeof metaSchema> {
  return {
    data_version: data?.data_version ?? null,
    loaded_at: data?.loaded_at ?? null,
  };
}

function currentData({ refreshes, snapshot }: Store) {
  const { data_version, loaded_at } = metaOf(snapshot);
  const { state, history, held, discarded, waiting, restored } = refreshes;
  const live = history.find((refresh) =>
    refresh.state === "serving" && refresh.report?.data_version === data_version
  );
  return {
    state,
    data_version,
    loaded_at,
    age_seconds: loaded_at === null
      ? null
      : Math.round((Date.now() - Date.parse(loaded_at)) / 1_000),
    restored,
    reasons: history[0]?.reasons ?? [],
    waiting,
    held: held && {
      data_version: held.report!.data_version,
      reasons: held.reasons,
      changes: held.changes,
      report: withoutSetAside(held.report!),
    },
    discarded,
    changes: live?.changes ?? null,
    report: snapshot && withoutSetAside(snapshot.report),
  };
}

/** The report of the data that is served, or of that version where given; throws a 410. */
function reportOf(store: Store, data_version?: string): LoadReport {
  const served = requireSnapshot(store).report;
  const { held } = store.refreshes;
  const wanted = data_version ?? served.data_version;
  const report = [served, held?.report]
    .find((one) => one?.data_version === wanted);
  if (report) return report;
  throw new HTTPException(410, {
    message: `Data version ${wanted} is neither served nor held.`,
  });
}

function withoutSetAside({ set_aside_listed: _, ...rest }: LoadReport) {
  return rest;
}

function shortRefresh(
  { started_at, ended_at, state, reasons, report, changes }: Refresh,
) {
  return {
    started_at,
    ended_at,
    state,
    reasons,
    data_version: report?.data_version ?? null,
    seconds: report?.seconds ?? null,
    customers: report?.customers ?? null,
    interactions: report?.interactions ?? null,
    rows_set_aside: report && sumSetAside(report.files),
    changes: changes satisfies Changes | null,
  };
}

function setAsideOf(
  { files, set_aside_listed }: LoadReport,
  table: string | undefined,
  file: string | undefined,
): { rows: readonly SetAsideRow[]; rows_set_aside: number } {
  if (file !== undefined && !files.some((one) => one.file === file)) {
    throw unknown("file", file, files.map((one) => one.file));
  }
  const asked = files.filter((one) =>
    (table === undefined || one.table === table) &&
    (file === undefined || one.file === file)
  );
  const names = new Set(asked.map((one) => one.file));
  return {
    rows: set_aside_listed.filter((row) => names.has(row.file)),
    rows_set_aside: sumSetAside(asked),
  };
}

function sumSetAside(files: LoadReport["files"]): number {
  return files.reduce((sum, { rows_set_aside }) => sum + rows_set_aside, 0);
}

function told({ value, ...row }: SetAsideRow, with_value: boolean) {
  return with_value ? { ...row, value } : row;
}

function setAsideCsv(
  { data_version }: LoadReport,
  listed: readonly SetAsideRow[],
  with_value: boolean,
): Response {
  const columns = [
    { name: "file", type: "text" },
    { name: "line", type: "integer" },
    { name: "column", type: "text" },
    { name: "reason", type: "text" },
    ...with_value ? [{ name: "value", type: "text" } as const] : [],
  ] as const;
  const rows = listed.map(({ file, line, column, reason, value }) =>
    with_value
      ? [file, line, column, reason, value]
      : [file, line, column, reason]
  );
  const batches = (async function* () {
    for (let i = 0; i < rows.length; i += CSV_BATCH_ROWS) {
      yield rows.slice(i, i + CSV_BATCH_ROWS);
    }
  })();
  const text = ReadableStream.from(
    encodeCsv({ columns, batches }, { bom: false }),
  );
  return new Response(text, {
    headers: {
      ...NO_STORE,
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition":
        `attachment; filename="set-aside-${data_version}.csv"`,
    },
  });
}
