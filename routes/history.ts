/** `/api/v1/interactions/{customer_id}/timeline` and `/topics`: one customer's history. */

import { z } from "zod";
import { INTERVALS } from "../db/model/dimensions.ts";
import type {
  ChannelCounts,
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
import {
  customerParams,
  type NamedCustomer,
  namedCustomer,
} from "./customer_ids.ts";
import { type Asked, endpoint, failure, type RowsReply } from "./endpoint.ts";
import {
  filterOf,
  isPeriod,
  namesShape,
  NO_PERIOD,
  periodShape,
  questionText,
} from "./filters.ts";
import type { ReadRows } from "./read_rows.ts";

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
    params: customerParams,
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
    answer: (given) => ofCustomer(given, askTimeline),
  }),
  endpoint({
    path: "/api/v1/interactions/:customer_id/topics",
    name: "getCustomerTopics",
    access: "customer",
    summary: "The topics of one customer's interactions",
    description:
      "One row per topic, by the month's product; null is for interactions without a topic. An interaction with several topics is counted in several rows: meta.overlap is the sum of the rows minus meta.interactions.",
    params: customerParams,
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
    answer: (given) => ofCustomer(given, askTopics),
  }),
] as const;

/** A question about a customer. */
interface Given<Query>
  extends Pick<Asked<unknown, Query>, "snapshot" | "visible" | "query"> {
  readonly customer: NamedCustomer;
}

/** What `ask` replies about the customer of the path, or a 404 when it is not known. */
function ofCustomer<Query>(
  { snapshot, visible, params, query }: Asked<
    z.output<typeof customerParams>,
    Query
  >,
  ask: (given: Given<Query>) => RowsReply,
): RowsReply | Promise<RowsReply> {
  const customer = namedCustomer(snapshot, params.customer_id);
  const reply = ask({ snapshot, visible, customer, query });
  const known = (counts: ChannelCounts | null) => {
    if (counts) return reply;
    throw unknownCustomer();
  };
  const counts = snapshot.countByChannel({ customer_id: customer.number });
  return counts instanceof Promise ? counts.then(known) : known(counts);
}

function askTimeline(
  { snapshot, visible, customer, query }: Given<
    z.output<typeof timelineQuery>
  >,
): RowsReply {
  const { interval = "month", explain } = query;
  const filter = filterOf({ snapshot, visible }, query);
  const question: TimelineQuestion = {
    kind: "timeline",
    customer_id: customer.number,
    interval,
    filter,
  };
  return {
    of: "rows",
    file: `interactions-${customer.encoded}-timeline`,
    key: questionText("timeline", {
      customer_id: customer.id,
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
        filter: { ...filter, customer_ids: [customer.id] },
      },
    },
  };
}

function askTopics(
  { snapshot, visible, customer, query }: Given<z.output<typeof topicsQuery>>,
): RowsReply {
  const { explain } = query;
  const filter = filterOf({ snapshot, visible }, query);
  const { number: customer_id, id } = customer;
  const question: TopicsQuestion = { kind: "topics", customer_id, filter };
  const own = { ...filter, customer_ids: [customer_id] };
  return {
    of: "rows",
    file: `interactions-${customer.encoded}-topics`,
    key: questionText("topics", {
      customer_id: id,
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
    ...explain && {
      explain: {
        questions: [question],
        filter: { ...filter, customer_ids: [id] },
      },
    },
  };
}

function sumOfTotals({ columns, cells }: ReadRows): number {
  return sumOf(cells, { start: columns.length - 1, end: columns.length });
}
