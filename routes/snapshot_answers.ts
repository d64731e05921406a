/** Answers from the snapshot that is served: what the caller may ask, and how a reply of a handler becomes a response. */

import { requireSnapshot, type Store } from "../db/store.ts";
import { permit, questionNeed } from "./access.ts";
import { requireKnown } from "./attribute_params.ts";
import type { Reply, SnapshotEndpoint, VersionReply } from "./endpoint.ts";
import type { Exchange, FromSnapshot, MaybePromise } from "./exchange.ts";
import { etagOf, hasTag, JSON_TYPE, namesVersion } from "./representation.ts";
import type { Responses } from "./responses.ts";
import type { RowsAnswers } from "./rows_answers.ts";

/** What is asked of a snapshot, checked by the schemas of its endpoint. */
export interface Question {
  readonly exchange: Exchange;
  readonly params: unknown;
  readonly query: unknown;
}

/** Has an endpoint answer from the snapshot. Throws what a caller may not ask, a 410, a 503 and what the handler throws. */
export type AnswerFrom = (
  endpoint: Pick<SnapshotEndpoint, "answer" | "access" | "scopes" | "query">,
  question: Question,
) => MaybePromise<Response>;

/** Makes what answers from the snapshot. */
export function createSnapshotAnswers(
  { store, responses, rows }: {
    readonly store: Pick<Store, "snapshot">;
    readonly responses: Responses;
    readonly rows: RowsAnswers;
  },
): AnswerFrom {
  const { found, notModified } = responses;

  // The snapshot is read and retained in one turn, before anything is asked of
  // it, so that a refresh in between cannot close it.
  function answer(
    endpoint: Pick<SnapshotEndpoint, "answer" | "access" | "scopes" | "query">,
    { exchange, params, query }: Question,
  ): MaybePromise<Response> {
    const need = questionNeed(endpoint, { params, query });
    permit(exchange.caller, need);
    const snapshot = requireSnapshot(store);
    // A refresh may have come between the check of the query and now.
    requireKnown(query, { schema: endpoint.query, snapshot });
    const names_version = namesVersion(query, snapshot);
    const retained = snapshot.retain();
    const from = { exchange, need, names_version, snapshot, query };
    let made: MaybePromise<Response>;
    try {
      const reply = endpoint.answer({
        snapshot,
        visible: exchange.caller.customers,
        params,
        query,
      });
      made = reply instanceof Promise
        ? reply.then((reply) => toHttp(reply, from))
        : toHttp(reply, from);
    } catch (error) {
      retained[Symbol.dispose]();
      throw error;
    }
    if (made instanceof Promise) {
      return made.finally(() => retained[Symbol.dispose]());
    }
    retained[Symbol.dispose]();
    return made;
  }

  function toHttp(reply: Reply, from: FromSnapshot): MaybePromise<Response> {
    switch (reply.of) {
      case "version":
        return answerVersion(reply, from);
      case "rows":
        return rows.answer(reply, from);
      default:
        return responses.answerNow(reply, from.exchange);
    }
  }

  function answerVersion(
    { key, body, has_meta = false }: VersionReply,
    { exchange, names_version, snapshot }: FromSnapshot,
  ): MaybePromise<Response> {
    const of = {
      data_version: snapshot.data_version,
      names_version,
      etag: etagOf(snapshot, { key, has_meta }),
      content_type: JSON_TYPE,
    };
    const tags = exchange.request.headers.get("if-none-match");
    if (tags !== null && hasTag(tags, of.etag)) {
      return notModified(of, exchange);
    }
    const text = body();
    return typeof text === "string"
      ? found(of, { exchange, tags, body: text })
      : text.then((body) => found(of, { exchange, tags, body }));
  }

  return answer;
}
