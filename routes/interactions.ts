/** `/api/v1/interactions/{customer_id}`: one customer's interactions per channel, from memory. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { ChannelCounts, CustomerQuestion } from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import { answerText, explained, metaSchema, questionShape } from "./answer.ts";
import {
  type Asked,
  endpoint,
  failure,
  type VersionReply,
} from "./endpoint.ts";
import {
  customerId,
  isPeriod,
  NO_PERIOD,
  periodShape,
  unknown,
} from "./filters.ts";
import { jsonOf } from "./json_text.ts";
import { querySchema } from "./query_string.ts";

const paramsSchema = z.object({ customer_id: customerId });

const filtersSchema = querySchema({
  ...periodShape,
  topic: z.string().optional().meta({
    description:
      "Only interactions with this topic, ignoring case; a topic is by the month's product",
  }),
  ...questionShape,
}).refine(isPeriod, NO_PERIOD);

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
  410: failure("data_version is not of the served version"),
  503: failure("No data is loaded yet"),
};

const definition = {
  path: "/api/v1/interactions/:customer_id" as const,
  name: "getCustomerInteractions",
  access: "customer" as const,
  summary: "How often one customer was contacted on each channel",
  description:
    "Counts interactions, optionally of a period and a topic. A known customer without interactions has zeros.",
  params: paramsSchema,
  query: filtersSchema,
  answers,
  answer,
};

/** The endpoint, under its own path and its older one. */
export const interactionsEndpoints = [
  endpoint(definition),
  endpoint({
    ...definition,
    path: "/api/v1/stats/interactions/:customer_id",
    name: "getCustomerStats",
  }),
] as const;

/** The endpoint of every page view, for whoever answers it without routing. */
export const pageView = {
  ...definition,
  scopes: interactionsEndpoints[0].scopes,
};

type Given = Asked<
  z.output<typeof paramsSchema>,
  z.output<typeof filtersSchema>
>;

// Asked on every page view: docs/benchmarks.md has what each step costs.
function answer(
  { snapshot, params: { customer_id }, query }: Given,
): VersionReply {
  const { start_date, end_date, topic, explain } = query;
  const topic_code = topic === undefined
    ? undefined
    : requireTopic(snapshot, topic);
  const question = { customer_id, start_date, end_date, topic_code };
  const key = `${customer_id}-${start_date ?? ""}-${end_date ?? ""}-${
    topic_code ?? ""
  }`;
  if (explain) {
    const body = () => explainedBodyOf(snapshot, question);
    return { of: "version", key: `${key}-explain`, has_meta: true, body };
  }
  return {
    of: "version",
    key,
    body() {
      const counts = snapshot.countByChannel(question);
      return counts instanceof Promise
        ? counts.then((counts) => bodyOf(snapshot, { customer_id, counts }))
        : bodyOf(snapshot, { customer_id, counts });
    },
  };
}

async function explainedBodyOf(
  snapshot: Snapshot,
  question: CustomerQuestion,
): Promise<string> {
  const { customer_id, start_date, end_date, topic_code } = question;
  const counts = await snapshot.countByChannel(question);
  const body = bodyOf(snapshot, { customer_id, counts });
  const text = answerText(snapshot, {
    data: jsonOf(body.slice('{"data":'.length, -1)),
    meta: await explained(snapshot, {
      questions: [question],
      filter: {
        customer_ids: [customer_id],
        ...start_date && { start_date },
        ...end_date && { end_date },
        ...topic_code !== undefined &&
          { topics: [snapshot.topics[topic_code]] },
      },
    }),
  });
  return [...text].join("");
}

// Written by hand, because an object would put a channel named 10 first.
function bodyOf(
  snapshot: Snapshot,
  { customer_id, counts }: {
    readonly customer_id: number;
    readonly counts: ChannelCounts | null;
  },
): string {
  if (counts === null) {
    throw new HTTPException(404, { message: "Customer not found" });
  }
  const keys = keysOf(snapshot);
  let text = `{"data":{"customer_id":${customer_id},"interactions":{`;
  for (let i = 0; i < keys.length; i++) text += keys[i] + counts[i];
  return text + "}}}";
}

// Values that depend on the snapshot only, kept as long as the snapshot.
const keys_of = new WeakMap<Snapshot, readonly string[]>();

function keysOf(snapshot: Snapshot): readonly string[] {
  let keys = keys_of.get(snapshot);
  if (!keys) {
    keys = snapshot.channels.map((name, i) =>
      `${i ? "," : ""}${JSON.stringify(name)}:`
    );
    keys_of.set(snapshot, keys);
  }
  return keys;
}

function requireTopic(snapshot: Snapshot, topic: string): number {
  const code = snapshot.positionOf("topic", topic);
  if (code !== undefined) return code;
  throw unknown("topic", { value: topic, values: snapshot.topics });
}
