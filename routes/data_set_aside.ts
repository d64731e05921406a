/** `/api/v1/data/set-aside`: every row that was set aside, and why. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { Need } from "../access/grant.ts";
import { TABLE_NAMES } from "../db/model/contract.ts";
import { createPause } from "../db/model/pause.ts";
import {
  dataVersionSchema,
  type FileReport,
  type LoadReport,
  setAsideByFile,
  type SetAsideRow,
  sumSetAside,
} from "../db/model/report.ts";
import { requireSnapshot } from "../db/store.ts";
import { DOWNLOAD, permit } from "./access.ts";
import { EXAMPLE_META, formatSchema, NOT_ACCEPTABLE } from "./answer.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { metaOf, metaSchema } from "./data.ts";
import {
  type AskedNow,
  endpoint,
  failure,
  type ReplyNow,
  type StoreNow,
  type StreamReply,
} from "./endpoint.ts";
import { PAGE_ROWS, pageShape, questionText, unknown } from "./filters.ts";
import {
  chooseFormat,
  contentType,
  FORMAT_NAMES,
  type FormatName,
  FORMATS,
} from "./formats/formats.ts";
import { querySchema } from "./query_string.ts";

const setAsideQuery = querySchema({
  data_version: dataVersionSchema.optional().meta({
    description:
      "The served or the held version; the default is the served one",
  }),
  table: z.enum(TABLE_NAMES, `table must be one of ${TABLE_NAMES.join(", ")}.`)
    .optional().meta({ description: "Only rows of this table" }),
  file: z.string().optional().meta({ description: "Only rows of this file" }),
  format: formatSchema,
  ...pageShape,
});

const LIST: Need = { scopes: ["read"], about: "every" };
/** The number of rows in a batch of a download. */
const BATCH_ROWS = 1_000;

/** The endpoint. */
export const setAsideEndpoint = endpoint({
  access: "optional_admin",
  path: "/api/v1/data/set-aside",
  name: "listRowsSetAside",
  summary: "Every row that was set aside",
  description:
    "File, line, column and reason, in the order of files and lines. Only the administrator gets the value, which is personal data. The first SET_ASIDE_KEPT rows are listed.",
  query: setAsideQuery,
  answers: {
    200: {
      description:
        "A page; meta.next is the cursor of the next page or null, meta.rows the number of listed rows that match, meta.rows_set_aside the number of all rows set aside",
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
    401: failure("The key is not known"),
    403: failure(
      "A key was sent, and administration is off; or it does not have the scope",
    ),
    406: NOT_ACCEPTABLE,
    410: failure("The data is no longer served or held"),
    503: failure("Nothing is served yet"),
  },
  answerNow: listSetAside,
});

function listSetAside(
  { store, query, caller, request }: AskedNow<
    unknown,
    z.output<typeof setAsideQuery>
  >,
): ReplyNow {
  const { data_version, table, file, limit, cursor } = query;
  const format = query.format ??
    chooseFormat(request.headers.get("accept"), FORMAT_NAMES);
  permit(caller, format === "json" ? LIST : DOWNLOAD);
  const with_value = caller.scopes.has("admin");
  const report = reportOf(store, data_version);
  const { rows, rows_set_aside } = setAsideOf(report, { table, file });

  const question = questionText("set-aside", { table, file });
  const [start] = cursor === undefined
    ? [0]
    : readCursor(report, { question, cursor, length: 1 });
  if (format !== "json") {
    const end = limit === undefined ? undefined : start + limit;
    const part = rows.slice(start, end);
    return setAsideFile(report, { rows: part, with_value, format });
  }
  const end = start + (limit ?? PAGE_ROWS.fallback);
  return {
    of: "moment",
    json: {
      data: rows.slice(start, end).map((row) => told(row, with_value)),
      meta: {
        ...metaOf(report),
        rows: rows.length,
        rows_set_aside,
        next: end < rows.length
          ? writeCursor(report, { question, position: [end] })
          : null,
      },
    },
  };
}

/** The report of the data that is served, or of that version where given; throws a 410. */
function reportOf(store: StoreNow, data_version?: string): LoadReport {
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

function setAsideOf(
  report: LoadReport,
  { table, file }: { readonly table?: string; readonly file?: string },
): { rows: readonly SetAsideRow[]; rows_set_aside: number } {
  const { files, set_aside_listed } = report;
  if (file !== undefined && !files.some((one) => one.file === file)) {
    throw unknown("file", {
      value: file,
      values: files.map((one) => one.file),
    });
  }
  const isAsked = (one: FileReport) =>
    (table === undefined || one.table === table) &&
    (file === undefined || one.file === file);
  const asked = files.filter(isAsked);
  return {
    rows: asked.length === files.length
      ? set_aside_listed
      // Joined file by file: there may be a million rows.
      : ([] as readonly SetAsideRow[]).concat(
        ...setAsideByFile(report).filter((_, i) => isAsked(files[i])),
      ),
    rows_set_aside: sumSetAside(asked),
  };
}

function told({ value, ...row }: SetAsideRow, with_value: boolean) {
  return with_value ? { ...row, value } : row;
}

function setAsideFile(
  { data_version }: LoadReport,
  { rows, with_value, format }: {
    readonly rows: readonly SetAsideRow[];
    readonly with_value: boolean;
    readonly format: FormatName;
  },
): StreamReply {
  const columns = [
    { name: "file", type: "text" },
    { name: "line", type: "integer" },
    { name: "column", type: "text" },
    { name: "reason", type: "text" },
    ...with_value ? [{ name: "value", type: "text" } as const] : [],
  ] as const;
  const cellsOf = ({ file, line, column, reason, value }: SetAsideRow) =>
    with_value
      ? [file, line, column, reason, value]
      : [file, line, column, reason];
  const pause = createPause();
  const batches = (async function* () {
    for (let i = 0; i < rows.length; i += BATCH_ROWS) {
      yield rows.slice(i, i + BATCH_ROWS).map(cellsOf);
      await pause();
    }
  })();
  const { encode } = FORMATS[format];
  const count = () => Promise.resolve(rows.length);
  return {
    of: "stream",
    media_type: contentType(format),
    file: `set-aside-${data_version}.${format}`,
    body: ReadableStream.from(
      encode!({ columns, batches, count, pause }, { bom: false }),
    ),
  };
}
