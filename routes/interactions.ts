/** `/api/v1/interactions/{customer_id}`: one customer's interactions per channel, at web speed. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import {
  type ChannelCounts,
  requireSnapshot,
  type Snapshot,
  type Store,
} from "../db/store.ts";
import {
  type Endpoint,
  failure,
  parse,
  parseQuery,
  querySchema,
} from "./endpoint.ts";
import type { AnswerJson } from "./middleware/caching.ts";
import { refuseLongUrl } from "./middleware/limits.ts";

const INVALID_ID = "Invalid customer_id provided";

const paramsSchema = z.object({
  customer_id: z.string()
    .regex(/^[1-9][0-9]{0,15}$/, INVALID_ID)
    .transform(Number)
    .refine(Number.isSafeInteger, INVALID_ID)
    .meta({ description: "1 to 2^53-1" }),
});

function day(name: string, meaning: string) {
  return z.iso.date(`Invalid ${name} format. Use YYYY-MM-DD.`).optional()
    .meta({ description: meaning });
}

const filtersSchema = querySchema({
  start_date: day("start_date", "First day, included"),
  end_date: day("end_date", "Last day, whole and included"),
  topic: z.string().optional().meta({
    description:
      "Only interactions with this topic, ignoring case; a topic is by the month's product",
  }),
}).refine(
  ({ start_date, end_date }) =>
    !start_date || !end_date || start_date <= end_date,
  "start_date cannot be later than end_date.",
);

const NO_FILTERS: z.output<typeof filtersSchema> = {};

// Generated parsers of the same schemas.
const compiledId = z.compile(paramsSchema.shape.customer_id);
const compiledFilters = z.compile(filtersSchema);

const answers: Endpoint["answers"] = {
  200: {
    description: "Every known channel, zero when unused, in code-point order",
    schema: z.object({
      data: z.object({
        customer_id: z.int(),
        interactions: z.record(z.string(), z.int()),
      }),
    }),
    example: {
      data: { customer_id: 4, interactions: { Bird: 1, Call: 1, Email: 0 } },
    },
  },
  400: failure("A parameter is wrong; the text says which and why"),
  404: failure("No such customer"),
  503: failure("No data is loaded yet"),
};

/** The endpoint, under its own path and its older one. */
export const interactionsEndpoints: readonly Endpoint[] = [
  "/api/v1/interactions/:customer_id",
  "/api/v1/stats/interactions/:customer_id",
].map((path) => ({
  path,
  summary: "How often one customer was talked to on each channel",
  description:
    "Counts interactions, optionally of a period and a topic. A known customer without any has zeros.",
  params: paramsSchema,
  query: filtersSchema,
  answers,
}));

/** How many known names an error lists. */
const NAMES_LISTED = 20;

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
    const { start_date, end_date, topic } = url.includes("?")
      ? parseQuery(compiledFilters, url)
      : NO_FILTERS;
    const topic_code = topic === undefined
      ? undefined
      : requireTopic(snapshot, topic);

    const question = `${customer_id}-${start_date ?? ""}-${end_date ?? ""}-${
      topic_code ?? ""
    }`;
    return answerJson(request, snapshot, question, () => {
      const counts = snapshot.countByChannel({
        customer_id,
        start_date,
        end_date,
        topic_code,
      });
      return counts instanceof Promise
        ? counts.then((counts) => bodyOf(snapshot, customer_id, counts))
        : bodyOf(snapshot, customer_id, counts);
    });
  };

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
  const { topics } = snapshot;
  const known = topics.slice(0, NAMES_LISTED).join(", ") || "none";
  const more = topics.length > NAMES_LISTED
    ? ` and ${topics.length - NAMES_LISTED} more`
    : "";
  throw new HTTPException(400, {
    message: `Unknown topic ${
      JSON.stringify(topic.slice(0, 60))
    }. Known: ${known}${more}.`,
  });
}
