/** `POST /api/v1/data/check/{name}`: what would become of the data with a file in the folder; nothing is kept. */

import { z } from "zod";
import {
  changesSchema,
  dataVersionSchema,
  outcomeSchema,
  servedReportSchema,
} from "../db/model/report.ts";
import { keyFailures } from "./access.ts";
import { EXAMPLE_META } from "./answer.ts";
import { metaOf, metaSchema, servedReport } from "./data.ts";
import {
  fileParamsSchema,
  PACKED,
  uploadOf,
  uploadOptionsOf,
} from "./data_files.ts";
import { endpoint, failure } from "./endpoint.ts";

const checkedSchema = z.object({
  outcome: outcomeSchema,
  reasons: z.array(z.string()).meta({
    description:
      "Why, or the warnings with which it would be served, in plain words",
  }),
  data_version: dataVersionSchema.nullable().meta({
    description:
      "The version that the folder would have with the file in it; null when it would be refused",
  }),
  changes: changesSchema.nullable().meta({
    description:
      "Differences from the data that is served; null while there is none, and when it would be refused",
  }),
  report: servedReportSchema.nullable().meta({
    description:
      "Every file, totals and warnings; null when it would be refused",
  }),
}).meta({ id: "Checked" });

/** The endpoint. */
export const dataCheckEndpoint = endpoint({
  method: "post",
  access: "admin",
  path: "/api/v1/data/check/:name",
  name: "checkFile",
  summary: "Try an export before it is delivered",
  description:
    "The body is a file as for an upload. The answer says what a refresh would make of the folder with this file in it, in the place of the one of that name or beside the others; also that it would be refused, where an upload answers 422. Nothing is kept and nothing goes live. One file is checked at a time, while no refresh is built; a refresh or a decision that comes meanwhile ends the check with 409. If-Match and If-None-Match hold as for an upload.",
  params: fileParamsSchema,
  upload: "The file, as it is",
  answers: {
    200: {
      description: "What would become of the data",
      schema: z.object({ data: checkedSchema, meta: metaSchema }),
      example: {
        data: {
          outcome: "refused",
          reasons: [
            'customers.csv, line 1: no column Customer_Id among "Number", "Type". Name the columns as docs/file-contract.md says.',
          ],
          data_version: null,
          changes: null,
          report: null,
        },
        meta: EXAMPLE_META,
      },
    },
    400: failure(
      "The name is not that of an export, the upload was cut off, or it is a part of a file (Content-Range)",
    ),
    ...keyFailures,
    409: failure(
      "A refresh is built or another file checked, the check gave way to a refresh or a decision, the folder changed or is being written to, a folder has that name, or a .sha256 or manifest.json describes other bytes or may not be read",
    ),
    412: failure("If-Match or If-None-Match does not hold"),
    413: failure("It has more than MAX_UPLOAD_BYTES"),
    415: PACKED,
    503: failure("Too many uploads at once, or the data folder is missing"),
    507: failure("The disk or the memory is full; nothing was kept"),
  },
  async answerNow({ store, params: { name }, request, ending }) {
    const checked = await store.files.check(
      name,
      uploadOf(request),
      {
        ...uploadOptionsOf(request),
        signal: AbortSignal.any([request.signal, ending.finishing]),
      },
    );
    const { outcome, reasons, changes, report, beside } = checked;
    return {
      of: "moment",
      json: {
        data: {
          outcome,
          reasons,
          data_version: report?.data_version ?? null,
          changes,
          report: report && servedReport(report),
        },
        // What is served may be another version by now.
        meta: metaOf(beside),
      },
    };
  },
});
