/** `/api/v1/dimensions`: all names, for the drop-downs of a website. */

import { z } from "zod";
import { isAttribute } from "../db/model/dimensions.ts";
import type { Cell, Question } from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import {
  EXAMPLE_META,
  metaSchema,
  questionShape,
  rowsFailures,
} from "./answer.ts";
import { endpoint, type RowsReply } from "./endpoint.ts";
import { questionText } from "./filters.ts";
import { type Json, jsonParts } from "./json_text.ts";
import { querySchema } from "./query_string.ts";
import type { ReadRows } from "./read_rows.ts";

const query = querySchema(questionShape);

const names = z.array(z.object({
  name: z.string().nullable(),
  interactions: z.int(),
}));

const customerNames = z.array(z.object({
  name: z.string().nullable(),
  interactions: z.int(),
  customers: z.int(),
}));

/** The endpoint. */
export const dimensionsEndpoint = endpoint({
  path: "/api/v1/dimensions",
  name: "listDimensions",
  summary: "All channels, topics, types and occupations",
  description:
    "Each with its interactions and customers, in code-point order; the name null stands for no name. occupations is null when there are too many to list.",
  query,
  answers: {
    200: {
      description: "Every name, and the days of the first and last interaction",
      schema: z.object({
        data: z.object({
          channels: names,
          topics: names,
          types: customerNames,
          occupations: customerNames.nullable(),
          attributes: z.record(z.string(), customerNames.nullable()).optional()
            .meta({
              description:
                "By name, those that tally.toml names; absent where there are none",
            }),
          date_range: z.object({ first: z.iso.date(), last: z.iso.date() })
            .nullable(),
        }),
        meta: metaSchema,
      }),
      example: {
        data: {
          channels: [{ name: "Bird", interactions: 1 }],
          topics: [{ name: "Sand", interactions: 1 }],
          types: [{ name: "Red", interactions: 1, customers: 1 }],
          occupations: [{ name: "Jedi", interactions: 1, customers: 1 }],
          date_range: { first: "2020-03-05", last: "2020-03-05" },
        },
        meta: EXAMPLE_META,
      },
    },
    ...rowsFailures,
  },
  answer: ({ snapshot, query: { explain } }) => ask(snapshot, explain),
});

function ask(
  { dimensions, names, date_range }: Snapshot,
  explain: string | undefined,
): RowsReply {
  const listed = dimensions.filter(({ name }) => names[name]);
  const questions = listed.flatMap(({ name, of_customers }): Question[] => [
    { kind: "metrics", by: [name], filter: {} },
    ...of_customers
      ? [{ kind: "customer_count", by: [name], filter: {} } as const]
      : [],
  ]);
  return {
    of: "rows",
    file: "dimensions",
    key: questionText("dimensions", { explain }),
    // A dimension has as many names as it lists, and no other bound.
    reads: questions.map((question) => ({ question, most_rows: Infinity })),
    json(rows) {
      const counts = rows[Symbol.iterator]();
      const lists: Record<string, Json> = {};
      const attributes: Record<string, Json> = {};
      for (const dimension of dimensions) {
        const { name, plural, of_customers } = dimension;
        const known = names[name];
        const list = isAttribute(dimension) ? attributes : lists;
        list[plural] = known && listOf(known, {
          interactions: countsOf(counts.next().value!),
          ...of_customers && { customers: countsOf(counts.next().value!) },
        });
      }
      const data = {
        ...lists,
        ...Object.keys(attributes).length > 0 && { attributes },
        date_range: date_range && { ...date_range },
      };
      return { data: jsonParts(data), meta: {} };
    },
    ...explain && { explain: { questions, filter: {} } },
  };
}

/** Each name, and null where there is none, with its counts. */
function listOf(
  known: readonly string[],
  counts: { interactions: Map<Cell, number>; customers?: Map<Cell, number> },
): Json {
  const { interactions, customers } = counts;
  const has_none = (customers ?? interactions).has(null);
  return [...known, ...has_none ? [null] : []].map((name) => ({
    name,
    interactions: interactions.get(name) ?? 0,
    ...customers && { customers: customers.get(name) ?? 0 },
  }));
}

/** The counts of the groups of one dimension. */
function countsOf({ cells }: ReadRows): Map<Cell, number> {
  return new Map(cells.map(([name, count]) => [name, count as number]));
}
