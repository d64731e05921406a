/** `/api/v1/interactions/{customer_id}`: one customer's interactions per channel, at web speed. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { ChannelCounts, CustomerQuestion } from "../db/model/questions.ts";
import { requireSnapshot, type Snapshot, type Store } from "../db/store.ts";
import { answerText, explained, explainShape, metaSchema } from "./answer.ts";
import {
  type Endpoint,
  failure,
  parse,
  parseQuery,
  querySchema,
} from "./endpoint.ts";
import {
  customerId,
  isPeriod,
  NO_PERIOD,
  periodShape,
  unknown,
} from "./filters.ts";
import type { AnswerJson } from "./caching.ts";
import { refuseLongUrl } from "./limits.ts";

const paramsSchema = z.object({ customer_id: customerId });

const filtersSchema = querySchema({
  ...periodShape,
  topic: z.string().optional().meta({
    description:
      "Only interactions with this topic, ignoring case; a topic is by the month's product",
  }),
  ...explainShape,
}).refine(isPeriod, NO_PERIOD);

const NO_FILTERS: z.output<typeof filtersSchema> = {};

// Generated parsers of the same schemas.
const compiledId = z.compile(paramsSchema.shape.customer_id);
const compiledFilters = z.compile(filtersSchema);

const answers = {
  200: {
    description: "Every known channel, zero when unused, in code-point order",
    schema: z.object({
      data: z.object({
        customer_id: z.int(),
        interactions: z.record(z.string(), z.int()),
      }),
      meta: metaSchema.optional().meta({ description: "With explain=1" }),
    }),
    example: {
      data: { customer_id: 4, interactions: { Bird: 1, Call: 1, Email: 0 } },
    },
  },
  400: failure("A parameter is wrong; the text says which and why"),
  404: failure("No such customer"),
  503: failure("No data is loaded yet"),
};

const endpoint = {
  summary: "How often one customer was talked to on each channel",
  description:
    "Counts interactions, optionally of a period and a topic. A known customer without any has zeros.",
  params: paramsSchema,
  query: filtersSchema,
  answers,
};

/** The endpoint, under its own path and its older one. */
export const interactionsEndpoints = [
  { path: "/api/v1/interactions/:customer_id", ...endpoint },
  { path: "/api/v1/stats/interactions/:customer_id", ...endpoint },
] as const satisfies readonly Endpoint[];

/** Answers the request for a customer; throws what is wrong. */
export type CountInteractions = (
  request: Request,
  customer_id: number,
) => Response | Promise<Response>;

/** The customer_id that a segment of the path is; undefined when it is none. */
export function customerIdOf(segment: string): number | undefined {
  return compiledId.safeParse(segment).data;
}

/** The customer_id that a segment of the path is; throws a 400 when it is none. */
export function requireCustomerId(segment: string): number {
  return parse(compiledId, segment);
}

/**
 * The handler. It calls its schemas itself and needs nothing of Hono, since it
 * is asked on every page view; docs/benchmarks.md has what each step costs.
 */
export function createCountInteractions(
  store: Store,
  answerJson: AnswerJson,
): CountInteractions {
  const keys_of = new WeakMap<Snapshot, readonly string[]>();

  return function countInteractions(request, customer_id) {
    const { url } = request;
    refuseLongUrl(url);
    const snapshot = requireSnapshot(store);
    const { start_date, end_date, topic, explain } = url.includes("?")
      ? parseQuery(compiledFilters, url)
      : NO_FILTERS;
    const topic_code = topic === undefined
      ? undefined
      : requireTopic(snapshot, topic);

    const question = `${customer_id}-${start_date ?? ""}-${end_date ?? ""}-${
      topic_code ?? ""
    }`;
    const asked = { customer_id, start_date, end_date, topic_code };
    return explain
      ? answerJson(
        request,
        snapshot,
        `${question}-explain`,
        () => explainedBodyOf(snapshot, asked),
      )
      : answerJson(request, snapshot, question, () => {
        const counts = snapshot.countByChannel(asked);
        return counts instanceof Promise
          ? counts.then((counts) => bodyOf(snapshot, customer_id, counts))
          : bodyOf(snapshot, customer_id, counts);
      });
  };

  async function explainedBodyOf(
    snapshot: Snapshot,
    asked: CustomerQuestion,
  ): Promise<string> {
    using _ = snapshot.retain();
    const { customer_id, start_date, end_date, topic_code } = asked;
    const counts = await snapshot.countByChannel(asked);
    const body = bodyOf(snapshot, customer_id, counts);
    return answerText(
      snapshot,
      body.slice('{"data":'.length, -1),
      await explained(snapshot, "1", [asked], {
        customer_ids: [customer_id],
        ...start_date && { start_date },
        ...end_date && { end_date },
        ...topic_code !== undefined &&
          { topics: [snapshot.topics[topic_code]] },
      }),
    );
  }

  // Written by hand, because an object would put a channel named 10 first.
  function bodyOf(
    snapshot: Snapshot,
    customer_id: number,
    counts: ChannelCounts | null,
  ): string {
    if (counts === null) {
      throw new HTTPException(404, { message: "Customer not found" });
    }
    let keys = keys_of.get(snapshot);
    if (!keys) {
      keys = snapshot.channels.map((name, i) =>
        `${i ? "," : ""}${JSON.stringify(name)}:`
      );
      keys_of.set(snapshot, keys);
    }
    let text = `{"data":{"customer_id":${customer_id},"interactions":{`;
    for (let i = 0; i < keys.length; i++) text += keys[i] + counts[i];
    return text + "}}}";
  }
}

function requireTopic(snapshot: Snapshot, topic: string): number {
  const code = snapshot.topicCode(topic);
  if (code !== undefined) return code;
  throw unknown("topic", topic, snapshot.topics);
}
