/** `/api/v1/interactions/{customer_id}/timeline` and `/topics`: one customer's history. */

import { z } from "zod";
import { INTERVALS } from "../db/model/dimensions.ts";
import type {
  ChannelCounts,
  Filter,
  TimelineQuestion,
  TopicsQuestion,
} from "../db/model/questions.ts";
import { unknownCustomer } from "./access.ts";
import {
  countsSchema,
  EXAMPLE_META,
  metaSchema,
  numberOf,
  rowsFailures,
  rowsJson,
  rowsQuerySchema,
  sumOf,
} from "./answer.ts";
import { type Asked, endpoint, failure, type RowsReply } from "./endpoint.ts";
import {
  customerId,
  filterOf,
  isPeriod,
  namesShape,
  NO_PERIOD,
  periodShape,
  questionText,
} from "./filters.ts";
import type { ReadRows } from "./read_rows.ts";

const params = z.object({ customer_id: customerId });

const filtersShape = {
  ...periodShape,
  topic: namesShape.topic,
  channel: namesShape.channel,
};

const topicsQuery = rowsQuerySchema(filtersShape).refine(isPeriod, NO_PERIOD);

const timelineQuery = rowsQuerySchema({
  interval: z.enum(
    INTERVALS,
    `interval must be one of ${INTERVALS.join(", ")}.`,
  )
    .optional().meta({
      description:
        "Length of the periods, by default month; weeks are those of ISO 8601",
    }),
  ...filtersShape,
}).refine(isPeriod, NO_PERIOD);

const failures = {
  404: failure("No such customer"),
  ...rowsFailures,
} as const;

const counts = { interactions: countsSchema, total: z.int() };

/** The endpoints. */
export const historyEndpoints = [
  endpoint({
    path: "/api/v1/interactions/:customer_id/timeline",
    name: "getCustomerTimeline",
    access: "customer",
    summary: "When one customer was contacted",
    description:
      "One row per period, from start_date, or else the first interaction, to end_date, or else the last interaction, within 1900-01-01 to 2078-12-31. Periods without interactions have zeros.",
    params,
    query: timelineQuery,
    answers: {
      200: {
        description: "The periods in order; meta.interactions is their sum",
        schema: z.object({
          data: z.array(z.object({ period: z.string(), ...counts })),
          meta: metaSchema.extend({ interactions: z.int() }),
        }),
        example: {
          data: [{
            period: "2020-03",
            interactions: { Bird: 1, Call: 0 },
            total: 1,
          }],
          meta: { ...EXAMPLE_META, interactions: 1 },
        },
      },
      ...failures,
    },
    answer: (given) => ofCustomer(given, askTimeline(given)),
  }),
  endpoint({
    path: "/api/v1/interactions/:customer_id/topics",
    name: "getCustomerTopics",
    access: "customer",
    summary: "The topics of one customer's interactions",
    description:
      "One row per topic, by the month's product; null is for interactions without a topic. An interaction with several topics is counted in several rows: meta.overlap is the sum of the rows minus meta.interactions.",
    params,
    query: topicsQuery,
    answers: {
      200: {
        description: "The topics that occur, in code-point order",
        schema: z.object({
          data: z.array(z.object({ topic: z.string().nullable(), ...counts })),
          meta: metaSchema.extend({
            interactions: z.int(),
            overlap: z.int(),
          }),
        }),
        example: {
          data: [{
            topic: "Sand",
            interactions: { Bird: 1, Call: 0 },
            total: 1,
          }],
          meta: { ...EXAMPLE_META, interactions: 1, overlap: 0 },
        },
      },
      ...failures,
    },
    answer: (given) => ofCustomer(given, askTopics(given)),
  }),
] as const;

type Given<Query> = Asked<z.output<typeof params>, Query>;

/** `reply`, or a 404 when the customer is not known. */
function ofCustomer(
  { snapshot, params: { customer_id } }: Given<unknown>,
  reply: RowsReply,
): RowsReply | Promise<RowsReply> {
  const known = (counts: ChannelCounts | null) => {
    if (counts) return reply;
    throw unknownCustomer();
  };
  const counts = snapshot.countByChannel({ customer_id });
  return counts instanceof Promise ? counts.then(known) : known(counts);
}

function askTimeline(
  { snapshot, params: { customer_id }, query }: Given<
    z.output<typeof timelineQuery>
  >,
): RowsReply {
  const { interval = "month", explain } = query;
  const filter = filterOf(snapshot, query);
  const question: TimelineQuestion = {
    kind: "timeline",
    customer_id,
    interval,
    filter,
  };
  return {
    of: "rows",
    file: `interactions-${customer_id}-timeline`,
    key: questionText("timeline", {
      customer_id,
      interval,
      ...filter,
      explain,
    }),
    download: question,
    reads: [{ question }],
    json: ([rows]) => ({
      data: rowsJson(rows),
      meta: { interactions: sumOfTotals(rows) },
    }),
    ...explain && {
      explain: {
        questions: [question],
        filter: withCustomer(filter, customer_id),
      },
    },
  };
}

function askTopics(
  { snapshot, params: { customer_id }, query }: Given<
    z.output<typeof topicsQuery>
  >,
): RowsReply {
  const { explain } = query;
  const filter = filterOf(snapshot, query);
  const question: TopicsQuestion = { kind: "topics", customer_id, filter };
  const own = withCustomer(filter, customer_id);
  return {
    of: "rows",
    file: `interactions-${customer_id}-topics`,
    key: questionText("topics", {
      customer_id,
      ...filter,
      explain,
    }),
    download: question,
    reads: [
      { question },
      { question: { kind: "metrics", by: [], filter: own } },
    ],
    json([rows, all]) {
      const interactions = numberOf(all);
      return {
        data: rowsJson(rows),
        meta: { interactions, overlap: sumOfTotals(rows) - interactions },
      };
    },
    ...explain && { explain: { questions: [question], filter: own } },
  };
}

function withCustomer(filter: Filter, customer_id: number): Filter {
  return { ...filter, customer_ids: [customer_id] };
}

function sumOfTotals({ columns, cells }: ReadRows): number {
  return sumOf(cells, { start: columns.length - 1, end: columns.length });
}
