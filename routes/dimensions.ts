/** `/api/v1/dimensions`: all names, for the drop-downs of a website. */

import { z } from "zod";
import { isAttribute, type NamedDimension } from "../db/model/dimensions.ts";
import type { Cell, Question } from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import {
  EXAMPLE_META,
  metaSchema,
  questionQuery,
  rowsFailures,
} from "./answer.ts";
import { endpoint, type RowsReply } from "./endpoint.ts";
import { questionText } from "./filters.ts";
import { type Json, jsonParts, type JsonText, jsonText } from "./json_text.ts";
import type { ReadRows } from "./read_rows.ts";

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
    "Each with its interactions and customers, in code-point order; the name null stands for no name. occupations is null when there are too many to list. Of an attribute with more than 1,000 names, the list has those with the most interactions, and meta.not_listed the number of the others.",
  query: questionQuery,
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
        meta: metaSchema.extend({
          not_listed: z.record(z.string(), z.int()).optional().meta({
            description:
              "By attribute: how many names its list leaves out; absent where all are listed",
          }),
        }),
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
  const { dimensions, names } = snapshot;
  const listed = dimensions.filter(({ name }) => names[name]);
  const questions = listed.flatMap(({ name, of_customers }): Question[] => [
    { kind: "metrics", by: [name], filter: {} },
    ...of_customers
      ? [{ kind: "customer_count", by: [name], filter: {} } as const]
      : [],
  ]);
  const not_listed = listed.flatMap(({ plural, name, offered_up_to }) => {
    const more = names[name]!.length - offered_up_to;
    return more > 0 ? [[plural, more] as const] : [];
  });
  return {
    of: "rows",
    file: "dimensions",
    key: questionText("dimensions", { explain }),
    // A dimension has as many names as it lists, and no other bound.
    reads: questions.map((question) => ({ question, most_rows: Infinity })),
    json: (rows) => ({
      data: dataJson(snapshot, rows),
      meta: { ...not_listed.length > 0 && { not_listed: new Map(not_listed) } },
    }),
    ...explain && { explain: { questions, filter: {} } },
  };
}

/** The lists of names, each made when its text is asked for. */
function* dataJson(
  { dimensions, names, date_range }: Snapshot,
  rows: readonly ReadRows[],
): JsonText {
  const counts = rows[Symbol.iterator]();
  const first_attribute = dimensions.find(isAttribute);
  let before = "{";
  for (const dimension of dimensions) {
    const { name, plural, of_customers } = dimension;
    if (dimension === first_attribute) before += '"attributes":{';
    yield `${before}${JSON.stringify(plural)}:`;
    before = ",";
    const known = names[name];
    yield* jsonParts(
      known && listOf(dimension, {
        known,
        interactions: countsOf(counts.next().value!),
        customers: of_customers ? countsOf(counts.next().value!) : undefined,
      }),
    );
  }
  yield `${first_attribute ? "}" : ""},"date_range":${
    jsonText(date_range && { ...date_range })
  }}`;
}

/** The names with the most interactions, as many as may be listed, in their order. */
function mostFrequent(
  known: readonly string[],
  { interactions, most }: {
    readonly interactions: ReadonlyMap<Cell, number>;
    readonly most: number;
  },
): readonly string[] {
  if (known.length <= most) return known;
  const countOf = (name: string) => interactions.get(name) ?? 0;
  const chosen = new Set(
    known.toSorted((a, b) => countOf(b) - countOf(a)).slice(0, most),
  );
  return known.filter((name) => chosen.has(name));
}

/** The names that are offered, and null where there is none, each with its counts. */
function listOf(
  { offered_up_to: most }: NamedDimension,
  { known, interactions, customers }: {
    readonly known: readonly string[];
    readonly interactions: ReadonlyMap<Cell, number>;
    readonly customers: ReadonlyMap<Cell, number> | undefined;
  },
): Json {
  // Anonymous interactions have no name here, even where every customer has one.
  const has_none = interactions.has(null) || customers?.has(null);
  const offered = mostFrequent(known, { interactions, most });
  return [...offered, ...has_none ? [null] : []].map((name) => ({
    name,
    interactions: interactions.get(name) ?? 0,
    ...customers && { customers: customers.get(name) ?? 0 },
  }));
}

/** The counts of the groups of one dimension. */
function countsOf({ cells }: ReadRows): Map<Cell, number> {
  return new Map(cells.map(([name, count]) => [name, count as number]));
}
