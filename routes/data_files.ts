/** `/api/v1/data/files`: the exports in the data folder: listed, delivered and removed by an administrator. */

import { Hono } from "hono";
import { z } from "zod";
import type { Store } from "../db/store.ts";
import { EXAMPLE_META } from "./answer.ts";
import { metaOf, metaSchema, NO_STORE } from "./data.ts";
import { type Endpoint, failure, NO_QUERY, validated } from "./endpoint.ts";
import { type Auth, authFailures } from "./access.ts";

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
  {
    admin: "required",
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
      ...authFailures,
      422: failure("A file may not be read"),
    },
  },
  {
    method: "put",
    admin: "required",
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
      ...authFailures,
      409: failure("The data folder is read-only"),
      413: failure("It has more than MAX_UPLOAD_BYTES"),
      422: failure("The file breaks the file contract"),
      503: failure("Too many uploads at once"),
      507: failure("The disk is full; nothing was kept"),
    },
  },
  {
    method: "delete",
    admin: "required",
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
      ...authFailures,
      404: failure("There is no such file"),
      409: failure("The data folder is read-only"),
    },
  },
] as const satisfies readonly Endpoint[];

/** The routes. */
export function createDataFiles(store: Store, { requireAdmin }: Auth) {
  const { files } = store;
  const [list, put, remove] = dataFilesEndpoints;
  const answer = <Data>(data: Data) => ({
    data,
    meta: metaOf(store.snapshot),
  });
  return new Hono()
    .get(
      list.path,
      requireAdmin,
      validated("query", NO_QUERY),
      async (c) => c.json(answer(await files.list()), 200, NO_STORE),
    )
    .put(
      put.path,
      requireAdmin,
      validated("param", paramsSchema),
      async (c) => {
        const body = c.req.raw.body ?? new Blob([]).stream();
        const file = await files.put(c.req.valid("param").name, body);
        return c.json(answer(file), 202, NO_STORE);
      },
    )
    .delete(
      remove.path,
      requireAdmin,
      validated("param", paramsSchema),
      async (c) => {
        const { name } = c.req.valid("param");
        await files.remove(name);
        return c.json(answer({ name }), 202, NO_STORE);
      },
    );
}
