/** `/api/v1/data/files`: the exports in the data folder: listed, delivered and removed by an administrator. */

import { z } from "zod";
import { accessFailures } from "./access.ts";
import { EXAMPLE_META } from "./answer.ts";
import { metaOf, metaSchema } from "./data.ts";
import {
  endpoint,
  failure,
  type MomentReply,
  type StoreNow,
} from "./endpoint.ts";
import { NO_QUERY } from "./query_string.ts";

const paramsSchema = z.object({
  name: z.string().meta({
    description: "A file name of the file contract, such as customers.csv",
  }),
});

const fileSchema = z.object({
  name: z.string(),
  table: z.string().nullable(),
  bytes: z.int(),
  sha256: z.string(),
  modified_at: z.iso.datetime(),
});
const EXAMPLE = {
  name: "customers.csv",
  table: "customers",
  bytes: 243,
  sha256: "32584b1d26059495eccfe2b2a5a16f4c081e18fd16f31c7f562b57aaea6aa8c0",
  modified_at: "2024-05-01T10:00:00.000Z",
};

/** The endpoints. */
export const dataFilesEndpoints = [
  endpoint({
    access: { scope: "admin" },
    path: "/api/v1/data/files",
    summary: "The exports in the data folder",
    description: "As they lie there now, whether they are served or not.",
    query: NO_QUERY,
    answers: {
      200: {
        description: "Every export, by name",
        schema: z.object({ data: z.array(fileSchema), meta: metaSchema }),
        example: { data: [EXAMPLE], meta: EXAMPLE_META },
      },
      ...accessFailures,
      422: failure("A file may not be read"),
    },
    answerNow: async ({ store }) => about(store, await store.files.list()),
  }),
  endpoint({
    method: "put",
    access: { scope: "admin" },
    path: "/api/v1/data/files/:name",
    summary: "Deliver an export",
    description:
      "The body is the file. It is taken whole or not at all, checked as a load does, and picked up by the refresh that follows.",
    params: paramsSchema,
    answers: {
      202: {
        description: "It is there; a refresh follows",
        schema: z.object({ data: fileSchema, meta: metaSchema }),
        example: { data: EXAMPLE, meta: EXAMPLE_META },
      },
      400: failure("The name is no export's, or the upload was cut off"),
      ...accessFailures,
      409: failure("The data folder is read-only"),
      413: failure("It has more than MAX_UPLOAD_BYTES"),
      422: failure("The file breaks the file contract"),
      503: failure("Too many uploads at once"),
      507: failure("The disk is full; nothing was kept"),
    },
    async answerNow({ store, params: { name }, request }) {
      const body = request.body ?? new Blob([]).stream();
      return about(store, await store.files.put(name, body), 202);
    },
  }),
  endpoint({
    method: "delete",
    access: { scope: "admin" },
    path: "/api/v1/data/files/:name",
    summary: "Remove an export",
    description:
      "A refresh without a required table fails, and what is served stays.",
    params: paramsSchema,
    answers: {
      202: {
        description: "It is gone; a refresh follows",
        schema: z.object({
          data: z.object({ name: z.string() }),
          meta: metaSchema,
        }),
        example: { data: { name: "customers.csv" }, meta: EXAMPLE_META },
      },
      400: failure("The name is no export's"),
      ...accessFailures,
      404: failure("There is no such file"),
      409: failure("The data folder is read-only"),
    },
    async answerNow({ store, params: { name } }) {
      await store.files.remove(name);
      return about(store, { name }, 202);
    },
  }),
] as const;

function about(
  store: StoreNow,
  data: unknown,
  status: 200 | 202 = 200,
): MomentReply {
  const json = { data, meta: metaOf(store.snapshot) };
  return { of: "moment", status, json };
}
