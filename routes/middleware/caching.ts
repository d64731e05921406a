/** Answers from a snapshot, with the headers that let clients keep them and ask again cheaply. */

import type { Context } from "hono";
import type { Snapshot } from "../../db/store.ts";
import type { RequestIds } from "./request_id.ts";

/** Answers a question about a snapshot with a JSON text. */
export type AnswerJson = (
  c: Context,
  snapshot: Snapshot,
  /** The normalised question, in characters an ETag may have. */
  question: string,
  /** Makes the body, unless the client has it already. */
  body: () => string | Promise<string>,
) => Response | Promise<Response>;

/** How answers are made: the ETag is of data version and question, known before any work. */
export function createAnswerJson(
  requestId: RequestIds,
  cache_seconds: number,
): AnswerJson {
  const cache_control = `public, max-age=${cache_seconds}`;
  return function answerJson(c, snapshot, question, body) {
    const etag = `"${snapshot.data_version}-${question}"`;
    const headers: Record<string, string> = {
      "Cache-Control": cache_control,
      "Data-Version": snapshot.data_version,
      "ETag": etag,
      "X-Request-Id": requestId(c),
    };
    const known = c.req.header("if-none-match");
    if (known !== undefined && hasTag(known, etag)) {
      return new Response(null, { status: 304, headers });
    }
    const finish = (text: string) => {
      // RFC 9110, 13.1.2: `*` is true only if there is something to answer.
      if (known?.trim() === "*") {
        return new Response(null, { status: 304, headers });
      }
      headers["Content-Type"] = "application/json";
      return new Response(text, { headers });
    };
    const text = body();
    return typeof text === "string" ? finish(text) : text.then(finish);
  };
}

/** Whether a list of entity tags has `etag`; weak ones count (RFC 9110, 13.1.2). */
function hasTag(list: string, etag: string): boolean {
  return list.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
