/** `/api/v1/stats/{table}`: how many rows a table has. */

import { Hono } from "hono";
import { z } from "zod";
import { requireSnapshot, type Store } from "../db/store.ts";
import { type Endpoint, failure, NO_QUERY, validated } from "./endpoint.ts";
import type { AnswerJson } from "./caching.ts";

const paramsSchema = z.object({
  table: z.string().meta({
    description: "customers, interactions or products",
  }),
});

/** The endpoint. */
export const statsEndpoint = {
  path: "/api/v1/stats/:table",
  summary: "How many rows a table has",
  description:
    "customers: those with a record; interactions: after rows that list several customers are split; products: the rows kept.",
  params: paramsSchema,
  query: NO_QUERY,
  answers: {
    200: {
      description: "The number of rows",
      schema: z.object({
        message: z.literal("Number of Rows"),
        rows: z.int(),
      }),
      example: { message: "Number of Rows", rows: 5 },
    },
    400: failure("A query parameter was given"),
    404: {
      description: "No such table",
      schema: z.object({ message: z.literal("Table name not found") }),
      example: { message: "Table name not found" },
    },
    503: failure("No data is loaded yet"),
  },
} as const satisfies Endpoint;

/** The route. */
export function createStats(store: Store, answerJson: AnswerJson) {
  return new Hono().get(
    statsEndpoint.path,
    validated("param", paramsSchema),
    validated("query", NO_QUERY),
    (c) => {
      const snapshot = requireSnapshot(store);
      const { table } = c.req.valid("param");
      const rows = new Map(Object.entries(snapshot.row_counts)).get(table);
      if (rows === undefined) {
        return c.json({ message: "Table name not found" }, 404, {
          "Cache-Control": "no-store",
        });
      }
      return answerJson(
        c.req.raw,
        snapshot,
        table,
        () => JSON.stringify({ message: "Number of Rows", rows }),
      );
    },
  );
}
