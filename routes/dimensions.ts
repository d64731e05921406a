/** `/api/v1/dimensions`: all names, for the drop-downs of a website. */

import { z } from "zod";
import { NAMED_DIMENSIONS } from "../db/model/dimensions.ts";
import type { Cell, Question } from "../db/model/questions.ts";
import type { Run } from "../db/model/run.ts";
import type { Snapshot } from "../db/store.ts";
import {
  answerText,
  EXAMPLE_META,
  explained,
  metaSchema,
  questionShape,
  readRows,
  rowsFailures,
} from "./answer.ts";
import { endpoint, type RowsReply } from "./endpoint.ts";
import { questionText } from "./filters.ts";
import { type Json, jsonParts } from "./json_text.ts";
import { querySchema } from "./query_string.ts";

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

function ask(snapshot: Snapshot, explain: string | undefined): RowsReply {
  return {
    of: "rows",
    file: "dimensions",
    key: questionText("dimensions", { explain }),
    async json(run) {
      const questions: Question[] = [];
      const ask = (question: Question) => {
        questions.push(question);
        return countsOf(snapshot, { question, run });
      };
      const data = await dimensionsOf(snapshot, ask);
      return answerText(snapshot, {
        data: jsonParts(data),
        meta: await explained(snapshot, { explain, questions, filter: {} }),
      });
    },
  };
}

async function dimensionsOf(
  { names, date_range }: Snapshot,
  ask: (question: Question) => Promise<Map<Cell, number>>,
): Promise<Json> {
  const lists: Record<string, Json> = {};
  for (const { name, plural, of_customers } of NAMED_DIMENSIONS) {
    const known = names[name];
    lists[plural] = known && listOf(known, {
      interactions: await ask({ kind: "metrics", by: [name], filter: {} }),
      ...of_customers && {
        customers: await ask({
          kind: "customer_count",
          by: [name],
          filter: {},
        }),
      },
    });
  }
  return { ...lists, date_range: date_range && { ...date_range } };
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
async function countsOf(
  snapshot: Snapshot,
  { question, run }: { readonly question: Question; readonly run: Run },
): Promise<Map<Cell, number>> {
  const { cells } = await readRows(() => snapshot.ask(question, run), Infinity);
  return new Map(cells.map(([name, count]) => [name, count as number]));
}
