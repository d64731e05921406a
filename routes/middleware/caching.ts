/** Answers from a snapshot, with the headers that let clients keep them and ask again cheaply. */

import type { Context } from "hono";
import type { Snapshot } from "../../db/store.ts";
import { requestId } from "./request_id.ts";

/** Answers a question about a snapshot with a JSON text. */
export type AnswerJson = (
  c: Context,
  snapshot: Snapshot,
  /** The normalised question, in characters an ETag may have. */
  question: string,
  /** Makes the body, unless the client has it already. */
  body: () => string | Promise<string>,
) => Response | Promise<Response>;

const JSON_TYPE = { headers: { "Content-Type": "application/json" } };

/** How answers are made: the ETag is of data version and question, known before any work. */
export function createAnswerJson(cache_seconds: number): AnswerJson {
  const cache_control = `public, max-age=${cache_seconds}`;

  function found(
    c: Context,
    { data_version }: Snapshot,
    etag: string,
    text: string,
  ) {
    // Headers are appended one by one, since Deno makes an answer of several
    // headers by a slower way when they are given at once: 5 us instead of 2.
    const answer = new Response(text, JSON_TYPE);
    const { headers } = answer;
    headers.append("Cache-Control", cache_control);
    headers.append("Data-Version", data_version);
    headers.append("ETag", etag);
    headers.append("X-Request-Id", requestId(c));
    return answer;
  }

  function notModified(c: Context, { data_version }: Snapshot, etag: string) {
    return new Response(null, {
      status: 304,
      headers: {
        "Cache-Control": cache_control,
        "Data-Version": data_version,
        "ETag": etag,
        "X-Request-Id": requestId(c),
      },
    });
  }

  return function answerJson(c, snapshot, question, body) {
    const etag = `"${snapshot.data_version}-${question}"`;
    const known = c.req.header("if-none-match");
    if (known !== undefined && hasTag(known, etag)) {
      return notModified(c, snapshot, etag);
    }
    // RFC 9110, 13.1.2: `*` is true only if there is something to answer.
    const finish = known?.trim() === "*" ? notModified : found;
    const text = body();
    return typeof text === "string"
      ? finish(c, snapshot, etag, text)
      : text.then((text) => finish(c, snapshot, etag, text));
  };
}

/** Whether a list of entity tags has `etag`; weak ones count (RFC 9110, 13.1.2). */
function hasTag(list: string, etag: string): boolean {
  return list.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
