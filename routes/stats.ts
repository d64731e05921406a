/** `/api/v1/stats/{table}`: the number of rows of a table. */

import { z } from "zod";
import { versionShape } from "./answer.ts";
import { endpoint, failure } from "./endpoint.ts";
import { querySchema } from "./query_string.ts";

const paramsSchema = z.object({
  table: z.string().meta({
    description: "customers, interactions or products",
  }),
});

/** The endpoint. */
export const statsEndpoint = endpoint({
  path: "/api/v1/stats/:table",
  name: "countRows",
  summary: "The number of rows of a table",
  description:
    "customers: those with a record; interactions: after rows that list several customers are split; products: the rows kept.",
  params: paramsSchema,
  query: querySchema(versionShape),
  answers: {
    200: {
      description: "The number of rows",
      schema: z.object({
        message: z.literal("Number of Rows"),
        rows: z.int(),
      }),
      example: { message: "Number of Rows", rows: 5 },
    },
    400: failure("A parameter is wrong; the text says which and why"),
    404: {
      description: "No such table",
      schema: z.object({ message: z.literal("Table name not found") }),
      example: { message: "Table name not found" },
    },
    410: failure("data_version is not of the served version"),
    503: failure("No data is loaded yet"),
  },
  answer({ snapshot: { row_counts }, params: { table } }) {
    const rows = new Map(Object.entries(row_counts)).get(table);
    if (rows === undefined) {
      const json = { message: "Table name not found" };
      return { of: "moment", status: 404, json };
    }
    return {
      of: "version",
      key: table,
      body: () => JSON.stringify({ message: "Number of Rows", rows }),
    };
  },
});
