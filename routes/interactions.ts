/** `/api/v1/interactions/{customer_id}`: one customer's interactions per channel, from memory. */

import { z } from "zod";
import type { Dimension } from "../db/model/dimensions.ts";
import type { ChannelCounts, CustomerQuestion } from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import { unknownCustomer } from "./access.ts";
import {
  customerParams,
  type NamedCustomer,
  namedCustomer,
  shownId,
} from "./customer_ids.ts";
import {
  answerText,
  countsSchema,
  explained,
  metaSchema,
  questionShape,
} from "./answer.ts";
import {
  type Asked,
  endpoint,
  failure,
  type VersionReply,
} from "./endpoint.ts";
import {
  isPeriod,
  namesOf,
  namesShape,
  NO_PERIOD,
  periodShape,
} from "./filters.ts";
import { jsonOf } from "./json_text.ts";
import { querySchema } from "./query_string.ts";

const filtersSchema = querySchema({
  ...periodShape,
  topic: namesShape.topic,
  channel: namesShape.channel,
  ...questionShape,
}).refine(isPeriod, NO_PERIOD);

const answers = {
  200: {
    description:
      "Every known channel, or those of channel, zero when unused, in code-point order",
    schema: z.object({
      data: z.object({
        customer_id: shownId,
        interactions: countsSchema,
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
    "Counts interactions, optionally of a period, of topics and on channels. A known customer without interactions has zeros.",
  params: customerParams,
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

type Given = Asked<
  z.output<typeof customerParams>,
  z.output<typeof filtersSchema>
>;

// Asked on every page view: docs/benchmarks.md has what each step costs.
function answer(
  { snapshot, visible, params, query }: Given,
): VersionReply {
  const customer = namedCustomer(snapshot, params.customer_id);
  const { start_date, end_date, topic, channel, explain } = query;
  const topics = topic === undefined
    ? undefined
    : namesOf({ snapshot, visible }, { dimension: "topic", text: topic });
  // No channel is without a name.
  const channels = channel === undefined
    ? undefined
    : namesOf({ snapshot, visible }, {
      dimension: "channel",
      text: channel,
    }) as string[];
  const question = {
    customer_id: customer.number,
    start_date,
    end_date,
    topics,
  };
  const key = `${customer.encoded}-${start_date ?? ""}-${end_date ?? ""}-${
    topics ? positionsText(snapshot, { dimension: "topic", names: topics }) : ""
  }${
    channels
      ? `-${positionsText(snapshot, { dimension: "channel", names: channels })}`
      : ""
  }`;
  if (explain) {
    const body = () =>
      explainedBodyOf(snapshot, { customer, question, channels });
    return { of: "version", key: `${key}-explain`, has_meta: true, body };
  }
  return {
    of: "version",
    key,
    body() {
      const counts = snapshot.countByChannel(question);
      return counts instanceof Promise
        ? counts.then((counts) =>
          bodyOf(snapshot, { customer, counts, channels })
        )
        : bodyOf(snapshot, { customer, counts, channels });
    },
  };
}

/** Names by their positions, which an ETag may have; shorter than the names. */
function positionsText(
  snapshot: Snapshot,
  { dimension, names }: {
    readonly dimension: Dimension;
    readonly names: readonly (string | null)[];
  },
): string {
  return names.map((name) =>
    name === null ? "null" : snapshot.positionOf(dimension, name)
  ).join(".");
}

async function explainedBodyOf(
  snapshot: Snapshot,
  { customer, question, channels }: {
    readonly customer: NamedCustomer;
    readonly question: CustomerQuestion;
    readonly channels: readonly string[] | undefined;
  },
): Promise<string> {
  const { start_date, end_date, topics } = question;
  const counts = await snapshot.countByChannel(question);
  const body = bodyOf(snapshot, { customer, counts, channels });
  const text = answerText(snapshot, {
    data: jsonOf(body.slice('{"data":'.length, -1)),
    meta: await explained(snapshot, {
      questions: [question],
      filter: {
        customer_ids: [customer.id],
        ...start_date && { start_date },
        ...end_date && { end_date },
        ...topics && { topics },
        ...channels && { channels },
      },
    }),
  });
  return [...text].join("");
}

// Written by hand, because an object would put a channel named 10 first.
function bodyOf(
  snapshot: Snapshot,
  { customer: { id }, counts, channels }: {
    readonly customer: NamedCustomer;
    readonly counts: ChannelCounts | null;
    /** Only these; undefined for all. */
    readonly channels: readonly string[] | undefined;
  },
): string {
  if (counts === null) {
    throw unknownCustomer();
  }
  const keys = channels ? keysOf(channels) : allKeysOf(snapshot);
  const shown = channels
    ? channels.map((name) => counts[snapshot.positionOf("channel", name)!])
    : counts;
  const shown_id = typeof id === "number" ? id : JSON.stringify(id);
  let text = `{"data":{"customer_id":${shown_id},"interactions":{`;
  for (let i = 0; i < keys.length; i++) text += keys[i] + shown[i];
  return text + "}}}";
}

// Of the snapshot that was asked last, since each of its answers has them.
let all_keys: { channels: readonly string[]; keys: readonly string[] } = {
  channels: [],
  keys: [],
};

function allKeysOf({ channels }: Snapshot): readonly string[] {
  if (all_keys.channels !== channels) {
    all_keys = { channels, keys: keysOf(channels) };
  }
  return all_keys.keys;
}

/** The text before each channel's count. */
function keysOf(channels: readonly string[]): string[] {
  return channels.map((name, i) => `${i ? "," : ""}${JSON.stringify(name)}:`);
}
