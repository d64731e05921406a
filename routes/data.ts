/** `/api/v1/data`: how fresh and how clean the data is, every row set aside, and what refreshes came to. */

import { Hono } from "hono";
import { z } from "zod";
import {
  type Changes,
  type LoadReport,
  type Refresh,
  type Reject,
  requireSnapshot,
  type Snapshot,
  type Store,
} from "../db/store.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { type Endpoint, failure, querySchema, validated } from "./endpoint.ts";
import { PAGE_ROWS, pageShape, questionText } from "./filters.ts";
import { encodeCsv } from "./formats/csv.ts";
import type { Auth } from "./middleware/auth.ts";

const NO_QUERY = querySchema({});

const rejectsQuery = querySchema({
  table: z.string().optional().meta({ description: "Only rows of this table" }),
  file: z.string().optional().meta({ description: "Only rows of this file" }),
  format: z.enum(["json", "csv"], "format must be json or csv.").optional()
    .meta({ description: "csv is whole, without pages" }),
  ...pageShape,
});

const metaSchema = z.object({
  data_version: z.string(),
  loaded_at: z.iso.datetime(),
});
const META = {
  data_version: "dd245b5f425f4ff5",
  loaded_at: "2024-05-01T10:00:00.000Z",
};
const stateSchema = z.enum(["building", "serving", "held", "failed"]);

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
        schema: z.object({
          data: z.object({
            state: stateSchema,
            data_version: z.string(),
            loaded_at: z.iso.datetime(),
            age_seconds: z.int(),
            restored: z.boolean().meta({
              description:
                "Whether this is the last good data of STATE_DIR, the exports being no good",
            }),
            reasons: z.array(z.string()),
            waiting: z.array(z.string()),
            held: z.looseObject({ data_version: z.string() }).nullable(),
            changes: z.looseObject({}).nullable(),
            report: z.looseObject({}),
          }),
          meta: metaSchema,
        }),
      },
      400: failure("A query parameter was given"),
      503: failure("Nothing is served yet"),
    },
  },
  {
    path: "/api/v1/data/rejects",
    summary: "Every row that was set aside",
    description:
      "File, line, column and reason, in the order of files and lines; the value too, which is personal data, for the administrator. The first REJECTS_KEPT are listed.",
    query: rejectsQuery,
    answers: {
      200: {
        description: "A page; meta.next is the cursor of the next page or null",
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
          meta: { ...META, rows: 1, next: null },
        },
      },
      400: failure("A parameter is wrong; the text says which and why"),
      401: failure("The key is not the administrator's"),
      410: failure("The cursor is of data that is no longer served"),
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
          meta: z.object({
            data_version: z.string().nullable(),
            loaded_at: z.iso.datetime().nullable(),
          }),
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
  const [data, rejects, history] = dataEndpoints;
  return new Hono()
    .get(data.path, validated("query", NO_QUERY), (c) => {
      const snapshot = requireSnapshot(store);
      return c.json(
        { data: currentData(store, snapshot), meta: metaOf(snapshot) },
        200,
        NO_STORE,
      );
    })
    .get(rejects.path, checkKey, validated("query", rejectsQuery), (c) => {
      const snapshot = requireSnapshot(store);
      const { table, file, format, limit, cursor } = c.req.valid("query");
      const with_value = isAdmin(c.req.raw);
      const rows = rejectsOf(snapshot.report, table, file);
      if (format === "csv") return rejectsCsv(snapshot, rows, with_value);

      const question = questionText("rejects", { table, file });
      const [start] = cursor === undefined
        ? [0]
        : readCursor(snapshot, question, cursor, 1);
      const end = start + Number(limit ?? PAGE_ROWS.fallback);
      return c.json(
        {
          data: rows.slice(start, end).map((row) => told(row, with_value)),
          meta: {
            ...metaOf(snapshot),
            rows: rows.length,
            next: end < rows.length
              ? writeCursor(snapshot, question, [end])
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
          meta: snapshot
            ? metaOf(snapshot)
            : { data_version: null, loaded_at: null },
        },
        200,
        NO_STORE,
      );
    });
}

/** The meta of an answer about what is served. */
export function metaOf({ data_version, loaded_at }: Snapshot) {
  return { data_version, loaded_at };
}

function currentData({ refreshes }: Store, snapshot: Snapshot) {
  const { data_version, loaded_at, report } = snapshot;
  const { state, history, held, waiting, restored } = refreshes;
  const live = history.find((refresh) =>
    refresh.state === "serving" && refresh.report?.data_version === data_version
  );
  return {
    state,
    data_version,
    loaded_at,
    age_seconds: Math.round((Date.now() - Date.parse(loaded_at)) / 1_000),
    restored,
    reasons: history[0]?.reasons ?? [],
    waiting,
    held: held && {
      data_version: held.report!.data_version,
      reasons: held.reasons,
      changes: held.changes,
      report: withoutRejects(held.report!),
    },
    changes: live?.changes ?? null,
    report: withoutRejects(report),
  };
}

function withoutRejects({ rejects: _, ...rest }: LoadReport) {
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
    changes: changes satisfies Changes | null,
  };
}

function rejectsOf(
  { files, rejects }: LoadReport,
  table: string | undefined,
  file: string | undefined,
): readonly Reject[] {
  const of_table = new Set(
    files.filter((one) => table === undefined || one.table === table)
      .map((one) => one.file),
  );
  return rejects.filter((row) =>
    of_table.has(row.file) && (file === undefined || row.file === file)
  );
}

function told({ value, ...row }: Reject, with_value: boolean) {
  return with_value ? { ...row, value } : row;
}

function rejectsCsv(
  { data_version }: Snapshot,
  rejects: readonly Reject[],
  with_value: boolean,
): Response {
  const columns = [
    { name: "file", type: "text" },
    { name: "line", type: "integer" },
    { name: "column", type: "text" },
    { name: "reason", type: "text" },
    ...with_value ? [{ name: "value", type: "text" } as const] : [],
  ] as const;
  const rows = rejects.map(({ file, line, column, reason, value }) =>
    with_value
      ? [file, line, column, reason, value]
      : [file, line, column, reason]
  );
  const batches = (async function* () {
    yield rows;
  })();
  const text = ReadableStream.from(
    encodeCsv({ columns, batches }, { bom: false }),
  );
  return new Response(text, {
    headers: {
      ...NO_STORE,
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition":
        `attachment; filename="rejects-${data_version}.csv"`,
    },
  });
}
