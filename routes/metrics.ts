/** `/api/v1/metrics…`: the numbers of interactions and customers, by dimensions. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import {
  type Dimension,
  dimensionNames,
  DIMENSIONS,
  isTime,
  NAMED_DIMENSIONS,
  ofCustomers,
  pivotsOf,
  type TimeDimension,
} from "../db/model/dimensions.ts";
import type {
  CustomerCountQuestion,
  Filter,
  MetricsQuestion,
  Question,
  ReachedQuestion,
} from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import {
  countsSchema,
  EXAMPLE_META,
  metaSchema,
  numberOf,
  questionQuery,
  rowsFailures,
  rowsJson,
  rowsQuerySchema,
  sumOf,
} from "./answer.ts";
import { shownId } from "./customer_ids.ts";
import { type Asked, endpoint, type RowsReply } from "./endpoint.ts";
import {
  filterOf,
  isPeriod,
  namesShape,
  NO_PERIOD,
  periodShape,
  questionText,
  requireNames,
  splitList,
  unknown,
} from "./filters.ts";
import { catalogueOf, MEASURES } from "./metrics_catalogue.ts";
import { jsonOf } from "./json_text.ts";
import {
  type Comparison,
  COMPARISONS,
  FIRST_DAY,
  periodBefore,
} from "./period_before.ts";

/** The largest number of dimensions in `by`. */
const MAX_BY = 3;

/** The dimensions that customers are counted by: in a group of one customer, the number is always 1. */
function customersBy(dimensions: readonly Dimension[]): Dimension[] {
  return dimensions.filter((name) => name !== "customer_id");
}

function byOf(dimensions: readonly Dimension[]) {
  return z.string().optional().meta({
    description: `Up to ${MAX_BY} of ${
      dimensions.join(", ")
    }, separated by commas; without it the grand total`,
  });
}

const compareShape = {
  compare: z.enum(COMPARISONS, `compare must be ${COMPARISONS.join(" or ")}.`)
    .optional().meta({
      description:
        "Adds previous and change, a share of previous (0.25 is a quarter more) or null where that is 0; needs both dates and no time dimension",
    }),
};

const interactionsQuery = rowsQuerySchema({
  by: byOf(DIMENSIONS),
  // Which there are depends on the snapshot.
  pivot: z.string().optional().meta({
    description: `A dimension whose values become columns: one of ${
      pivotsOf(NAMED_DIMENSIONS).join(", ")
    }`,
  }),
  ...compareShape,
  ...periodShape,
  ...namesShape,
}).refine(isPeriod, NO_PERIOD);

const customersQuery = rowsQuerySchema({
  by: byOf(customersBy(DIMENSIONS)),
  ...compareShape,
  ...periodShape,
  ...namesShape,
}).refine(isPeriod, NO_PERIOD);

/** The dimensions of a group that it is counted by; the name null stands for no name. */
const dimensionsShape = {
  channel: z.string(),
  topic: z.string().nullable(),
  type: z.string().nullable(),
  occupation: z.string().nullable(),
  customer_id: shownId.nullable().meta({
    description: "Null stands for interactions of nobody who is known",
  }),
  day: z.iso.date(),
  week: z.string(),
  month: z.string(),
  quarter: z.string(),
  year: z.string(),
  weekday: z.int().min(1).max(7),
} satisfies Record<
  typeof NAMED_DIMENSIONS[number]["name"] | "customer_id" | TimeDimension,
  z.ZodType
>;

const comparedShape = {
  previous: z.int().optional().meta({ description: "With compare" }),
  change: z.number().nullable().optional().meta({
    description: "With compare: a share of previous, null where that is 0",
  }),
};

const interactionsGroup = z.object({
  ...z.object(dimensionsShape).partial().shape,
  interactions: z.union([z.int(), countsSchema]).meta({
    description: "A number; with pivot, one for each of its values",
  }),
  total: z.int().optional().meta({
    description: "With pivot: an interaction with two topics counts once",
  }),
  ...comparedShape,
}).meta({ id: "InteractionsGroup" });

const customersGroup = z.object({
  ...z.object(dimensionsShape).omit({ customer_id: true }).partial().shape,
  customers: z.int(),
  ...comparedShape,
}).meta({ id: "CustomersGroup" });

const comparedWithSchema = z.object({
  start_date: z.iso.date(),
  end_date: z.iso.date(),
}).optional().meta({ description: "With compare: its period" });

/** The endpoints. */
export const metricsEndpoints = [
  endpoint({
    path: "/api/v1/metrics/interactions",
    name: "countInteractions",
    summary: "Interactions by up to three dimensions",
    description:
      "Long form: a row for each group that occurs. With a pivot: a column for each value, zero when unused. A topic is by the month's product; an interaction with two topics is counted in the rows of both, and meta.overlap is the sum of the rows minus meta.interactions.",
    query: interactionsQuery,
    answers: {
      200: {
        description: "One row per group, in the order of the dimensions",
        schema: z.object({
          data: z.array(interactionsGroup),
          meta: metaSchema.extend({
            interactions: z.int(),
            overlap: z.int(),
            compared_with: comparedWithSchema,
          }),
        }),
        example: {
          data: [{ type: "Red", month: "2020-03", interactions: 3 }],
          meta: {
            ...EXAMPLE_META,
            interactions: 3,
            overlap: 0,
          },
        },
      },
      ...rowsFailures,
    },
    answer: askInteractions,
  }),
  endpoint({
    path: "/api/v1/metrics/customers",
    name: "countCustomers",
    summary: "Customers, known or reached, by up to three dimensions",
    description:
      "By type and occupation alone, all known customers are counted, with a record or from interactions only; meta.without_record is the number of those without a record. With a period, a channel or a topic, as a filter or in by, these are the customers reached: those with at least one such interaction. A customer counts once in each group; meta.customers counts each once, and meta.overlap is the sum of the rows minus meta.customers.",
    query: customersQuery,
    answers: {
      200: {
        description: "One row per group",
        schema: z.object({
          data: z.array(customersGroup),
          meta: metaSchema.extend({
            customers: z.int(),
            without_record: z.int().optional().meta({
              description: "Of the customers known",
            }),
            overlap: z.int().optional().meta({
              description: "Of the customers reached",
            }),
            compared_with: comparedWithSchema,
          }),
        }),
        example: {
          data: [{ type: "Red", customers: 3 }],
          meta: {
            ...EXAMPLE_META,
            customers: 3,
            without_record: 0,
          },
        },
      },
      ...rowsFailures,
    },
    answer: askCustomers,
  }),
  endpoint({
    path: "/api/v1/metrics",
    name: "describeMetrics",
    summary: "The measures and the dimensions",
    description:
      "Each measure and dimension with its definition, its grain, and whether its numbers add up to the whole.",
    query: questionQuery,
    answers: {
      200: {
        description: "The catalogue",
        schema: z.object({
          data: z.object({
            measures: z.array(z.object({
              name: z.string(),
              endpoint: z.string(),
              definition: z.string(),
              grain: z.string(),
              adds_up: z.boolean(),
            })),
            dimensions: z.array(z.object({
              name: z.string(),
              definition: z.string(),
              grain: z.string(),
              adds_up: z.boolean(),
              pivots: z.boolean(),
            })),
          }),
          meta: metaSchema,
        }),
        example: {
          data: {
            measures: MEASURES.slice(0, 1),
            dimensions: catalogueOf(NAMED_DIMENSIONS).slice(0, 1),
          },
          meta: EXAMPLE_META,
        },
      },
      ...rowsFailures,
    },
    answer: ({ snapshot: { dimensions }, query: { explain } }) => ({
      of: "rows",
      file: "metrics",
      key: questionText("metrics", { explain }),
      reads: [],
      json: () => ({
        data: jsonOf(
          JSON.stringify({
            measures: MEASURES,
            dimensions: catalogueOf(dimensions),
          }),
        ),
        meta: {},
      }),
      ...explain && { explain: { questions: [], filter: {} } },
    }),
  }),
] as const;

function askInteractions(
  { snapshot, visible, query }: Asked<
    unknown,
    z.output<typeof interactionsQuery>
  >,
): RowsReply {
  const { pivot, compare, explain } = query;
  const dimensions = dimensionNames(snapshot.dimensions);
  const by = parseBy(snapshot, { text: query.by, dimensions });
  const pivots = pivotsOf(snapshot.dimensions);
  if (pivot !== undefined && !pivots.includes(pivot)) {
    throw badRequest(`pivot must be one of ${pivots.join(", ")}.`);
  }
  if (pivot && by.includes(pivot)) {
    throw badRequest(`by and pivot cannot both be ${pivot}.`);
  }
  const filter = filterOf({ snapshot, visible }, query);
  const compared_with = compare &&
    comparedWith(filter, { by, pivot, comparison: compare });
  const question: MetricsQuestion = {
    kind: "metrics",
    by,
    pivot,
    filter,
    compared_with,
  };
  return {
    of: "rows",
    file: "metrics-interactions",
    key: questionText("metrics-interactions", {
      by,
      pivot,
      compare,
      ...filter,
      explain,
    }),
    download: question,
    reads: [
      { question },
      // Rows by topic overlap.
      ...by.includes("topic")
        ? [{ question: { kind: "metrics", by: [], filter } } as const]
        : [],
    ],
    json([rows, all]) {
      const { cells, pivoted } = rows;
      const total = by.length + (pivoted?.names.length ?? 0);
      const counted = sumOf(cells, { start: total, end: total + 1 });
      const interactions = all ? numberOf(all) : counted;
      // So do the columns of a row.
      const with_topics = pivot === "topic"
        ? sumOf(cells, { start: pivoted!.start, end: total })
        : counted;
      return {
        data: rowsJson(rows),
        meta: {
          interactions,
          overlap: with_topics - interactions,
          ...compared_with && { compared_with: { ...compared_with } },
        },
      };
    },
    ...explain && { explain: { questions: [question], filter } },
  };
}

function parseBy(
  snapshot: Snapshot,
  { text, dimensions }: {
    readonly text: string | undefined;
    readonly dimensions: readonly Dimension[];
  },
): Dimension[] {
  if (text === undefined) return [];
  const by = splitList("by", text).map((given) => {
    const name = dimensions.find((name) => name === given.toLowerCase());
    if (name) return name;
    throw unknown("dimension", { value: given, values: dimensions });
  });
  if (by.length > MAX_BY) {
    throw badRequest(`by takes at most ${MAX_BY} dimensions.`);
  }
  if (new Set(by).size < by.length) {
    throw badRequest("by takes each dimension once.");
  }
  for (const { name } of snapshot.dimensions) {
    if (by.includes(name)) requireNames(snapshot, name);
  }
  return by;
}

function comparedWith(
  { start_date, end_date }: Filter,
  { by, pivot, comparison }: {
    readonly by: readonly Dimension[];
    readonly pivot?: MetricsQuestion["pivot"];
    readonly comparison: Comparison;
  },
) {
  if (!start_date || !end_date) {
    throw badRequest("compare needs start_date and end_date.");
  }
  const time = [...by, ...pivot ? [pivot] : []].find(isTime);
  if (time) {
    throw badRequest(
      `compare cannot be by ${time}: the two periods have none in common.`,
    );
  }
  const before = periodBefore(comparison, { start_date, end_date });
  if (before) return before;
  throw badRequest(
    `There is no ${comparison} before this start_date: the calendar begins at ${FIRST_DAY}.`,
  );
}

function askCustomers(
  { snapshot, visible, query }: Asked<
    unknown,
    z.output<typeof customersQuery>
  >,
): RowsReply {
  const { compare, explain } = query;
  const dimensions = customersBy(dimensionNames(snapshot.dimensions));
  const by = parseBy(snapshot, { text: query.by, dimensions });
  const filter = filterOf({ snapshot, visible }, query);
  const compared_with = compare &&
    comparedWith(filter, { by, comparison: compare });
  const of_customers = ofCustomers(snapshot.dimensions);
  const are_known = Object.keys(filter)
    .every((name) => of_customers.some(({ plural }) => plural === name));
  const is_of_customers = by.every((name) =>
    of_customers.some((one) => one.name === name)
  );
  const { question, ...reply } = are_known && is_of_customers
    ? countKnown({ kind: "customer_count", by, filter })
    : countReached({ kind: "reached", by, filter, compared_with }, {
      is_of_customers,
    });
  return {
    of: "rows",
    file: "metrics-customers",
    key: questionText("metrics-customers", { by, compare, ...filter, explain }),
    download: question,
    ...reply,
    ...explain && { explain: { questions: [question], filter } },
  };
}

/** The question, and how it is answered in JSON. */
interface CustomersReply extends Pick<RowsReply, "reads" | "json"> {
  readonly question: Question;
}

function countKnown(question: CustomerCountQuestion): CustomersReply {
  const { by } = question;
  return {
    question,
    reads: [
      { question },
      { question: { ...question, by: [], without_record: true } },
    ],
    json: ([rows, without_record]) => ({
      data: rowsJson(rows),
      meta: {
        customers: sumOf(rows.cells, { start: by.length, end: by.length + 1 }),
        without_record: numberOf(without_record),
      },
    }),
  };
}

function countReached(
  question: ReachedQuestion,
  { is_of_customers }: { readonly is_of_customers: boolean },
): CustomersReply {
  const { by, filter, compared_with } = question;
  return {
    question,
    reads: [
      { question },
      // A customer may be in several rows, unless these are of customers alone.
      ...is_of_customers
        ? []
        : [{ question: { kind: "reached", by: [], filter } } as const],
    ],
    json([rows, all]) {
      const counted = sumOf(rows.cells, {
        start: by.length,
        end: by.length + 1,
      });
      const customers = all ? numberOf(all) : counted;
      return {
        data: rowsJson(rows),
        meta: {
          customers,
          overlap: counted - customers,
          ...compared_with && { compared_with: { ...compared_with } },
        },
      };
    },
  };
}

function badRequest(message: string): HTTPException {
  return new HTTPException(400, { message });
}
