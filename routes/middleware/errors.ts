/** Makes the answer of every failure: `{"error": …}`, an honest status, nothing of the inside. */

import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { StoreError, type StoreErrorKind } from "../../db/store.ts";
import { requestId } from "./request_id.ts";

/** Seconds after which a client may ask again for what is not there yet. */
const RETRY_SECONDS = "1";

const STATUS: Readonly<Record<StoreErrorKind, ContentfulStatusCode>> = {
  unavailable: 503,
  refused: 500,
  timeout: 504,
  busy: 503,
};

/** How failures are answered. */
export type Failures = ReturnType<typeof createFailures>;

/** Makes failure answers; a bug goes to `log` with its stack and request id. */
export function createFailures(log: (text: string) => void) {
  function fail(c: Context, status: ContentfulStatusCode, error: string) {
    const headers: Record<string, string> = {
      "Cache-Control": "no-store",
      "X-Request-Id": c.res.headers.get("X-Request-Id") ?? requestId(c),
    };
    if (status === 503) headers["Retry-After"] = RETRY_SECONDS;
    return c.json({ error }, status, headers);
  }

  return {
    fail,

    notFound: (c: Context) => fail(c, 404, "Not found"),

    methodNotAllowed(c: Context, methods: string[]) {
      const allowed = methods.join(", ");
      const answer = fail(c, 405, `Method not allowed. Allowed: ${allowed}.`);
      answer.headers.set("Allow", allowed);
      return answer;
    },

    onError(error: Error, c: Context) {
      if (error instanceof HTTPException) {
        return fail(c, error.status as ContentfulStatusCode, error.message);
      }
      if (error instanceof StoreError) {
        return fail(c, STATUS[error.kind], error.message);
      }
      const answer = fail(c, 500, "Internal error");
      log(`${answer.headers.get("X-Request-Id")} ${error.stack}`);
      return answer;
    },
  };
}
