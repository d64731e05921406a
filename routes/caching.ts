/** Answers from a snapshot, with the headers that let clients keep them and ask again cheaply. */

import type { Snapshot } from "../db/store.ts";
import { requestId } from "./request_id.ts";

/** Answers a question about a snapshot with a JSON text. */
export type AnswerJson = (
  request: Request,
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

  return function answerJson(request, { data_version }, question, body) {
    const etag = `"${data_version}-${question}"`;
    const known = request.headers.get("if-none-match");

    // Appended one by one, because Deno takes a slower way to make an answer
    // that is given several headers at once: 5 us instead of 2.
    function withHeaders(answer: Response): Response {
      const { headers } = answer;
      headers.append("Cache-Control", cache_control);
      headers.append("Data-Version", data_version);
      headers.append("ETag", etag);
      headers.append("X-Request-Id", requestId(request));
      return answer;
    }
    const notModified = () => withHeaders(new Response(null, { status: 304 }));
    // RFC 9110, 13.1.2: `*` is true only if there is something to answer.
    const found = (text: string) =>
      known?.trim() === "*"
        ? notModified()
        : withHeaders(new Response(text, JSON_TYPE));

    if (known !== null && hasTag(known, etag)) return notModified();
    const text = body();
    return typeof text === "string" ? found(text) : text.then(found);
  };
}

/** Whether a list of entity tags has `etag`; weak ones count (RFC 9110, 13.1.2). */
export function hasTag(list: string, etag: string): boolean {
  return list.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
