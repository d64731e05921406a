/** Page views: the questions that are answered without routing. */

import { z } from "zod";
import type { Need } from "../access/grant.ts";
import { requireSnapshot, type Store } from "../db/store.ts";
import { needOf, permit } from "./access.ts";
import { withAttributes } from "./attribute_params.ts";
import { idInSegment } from "./customer_ids.ts";
import type { Endpoint, SnapshotEndpoint } from "./endpoint.ts";
import type { Exchange, MaybePromise } from "./exchange.ts";
import {
  NO_QUERY,
  parseQuery,
  pathStart,
  refuseLongUrl,
  refuseSecret,
} from "./query_string.ts";
import type { RequestCounts, RouteCounts } from "./request_counts.ts";
import type { AnswerFrom } from "./snapshot_answers.ts";

/** Answers page views; undefined where the path is of none. */
export interface PageViews {
  /** Those of one customer. */
  ofOne(exchange: Exchange): MaybePromise<Response> | undefined;
  /** Those of many. */
  ofMany(exchange: Exchange): MaybePromise<Response> | undefined;
}

/** An endpoint that is answered without routing, prepared for it. */
interface Unrouted {
  readonly endpoint: SnapshotEndpoint;
  /** The path before the customer_id; all of it where there is none. */
  readonly before: string;
  /** The path after the customer_id; undefined where there is none. */
  readonly after: string | undefined;
  /** What its caller needs before the question is known. */
  readonly need: Need;
  /** A generated parser of the query's schema. */
  readonly query: z.ZodObject;
  readonly route: RouteCounts;
}

const NOTHING = {};
const [SLASH, QUESTION_MARK, HASH] = [0x2f, 0x3f, 0x23];

/**
 * Prepares `endpoints`, the one that is asked most first; a path has one parameter at
 * most, a customer_id.
 */
export function createPageViews(
  endpoints: readonly Endpoint[],
  { store, counts, answerFrom }: {
    readonly store: Pick<Store, "snapshot">;
    readonly counts: Pick<RequestCounts, "of">;
    readonly answerFrom: AnswerFrom;
  },
): PageViews {
  const unrouted = endpoints.flatMap((one) => prepare(one, counts.of(one)));
  const of_one = unrouted.filter(({ after }) => after !== undefined);
  const of_many = unrouted.filter(({ after }) => after === undefined);

  /**
   * Answers without Hono, whose routing takes an eighth of the time of the shortest
   * answers; docs/benchmarks.md has what steps cost.
   */
  function answerUnrouted(
    { endpoint, need, query: schema, route }: Unrouted,
    { exchange, params, has_query }: {
      readonly exchange: Exchange;
      readonly params: object;
      readonly has_query: boolean;
    },
  ): MaybePromise<Response> {
    exchange.route = route;
    let query = NOTHING;
    if (has_query) {
      const { url } = exchange.request;
      refuseLongUrl(url);
      refuseSecret(url);
      // Before anything is said about the question.
      permit(exchange.caller, need);
      const snapshot = requireSnapshot(store);
      const extended = endpoint.query &&
        withAttributes(endpoint.query, snapshot);
      query = parseQuery(
        extended === undefined || extended === endpoint.query
          ? schema
          : extended,
        url,
      );
    }
    return answerFrom(endpoint, { exchange, params, query });
  }

  /** The answer without routing, where there is one; undefined where the path is of no page view. */
  function pageView(
    exchange: Exchange,
    views: readonly Unrouted[],
  ): MaybePromise<Response> | undefined {
    const { url } = exchange.request;
    const ids = store.snapshot?.customers.ids ?? "integer";
    const path = pathStart(url);
    for (const one of views) {
      const { before, after } = one;
      if (!url.startsWith(before, path)) continue;
      const start = path + before.length;
      const segment_end = after === undefined ? start : segmentEnd(url, start);
      const end = segment_end + (after?.length ?? 0);
      const has_query = end < url.length;
      if (has_query && url.charCodeAt(end) !== QUESTION_MARK) continue;
      if (after === undefined) {
        return answerUnrouted(one, { exchange, params: NOTHING, has_query });
      }
      if (after !== "" && !url.startsWith(after, segment_end)) continue;
      const customer_id = idInSegment(url.slice(start, segment_end), ids);
      if (customer_id === undefined) continue;
      const params = { customer_id };
      return answerUnrouted(one, { exchange, params, has_query });
    }
  }

  return {
    ofOne: (exchange) => pageView(exchange, of_one),
    ofMany: (exchange) => pageView(exchange, of_many),
  };
}

/** Where the segment of a path ends that begins at `start`; a fragment, which no client sends, ends it too. */
function segmentEnd(url: string, start: number): number {
  let end = start;
  for (; end < url.length; end++) {
    const code = url.charCodeAt(end);
    if (code === SLASH || code === QUESTION_MARK || code === HASH) break;
  }
  return end;
}

// Only answers from the snapshot need no key where reading is open.
function prepare(endpoint: Endpoint, route: RouteCounts): Unrouted[] {
  if (!endpoint.answer) return [];
  const [before, after] = endpoint.path.split(":customer_id");
  const query = z.compile(endpoint.query ?? NO_QUERY);
  return [{ endpoint, before, after, need: needOf(endpoint), query, route }];
}
